//! Detecting what the installed tools make.

use std::fs::{self, File};
use std::process::Command;

use jingku_sources::content::Content;

use crate::content::{caution, content, foreign, noise};

const MIB: u64 = 1 << 20;

/// Every installed tool that makes a disk. CI has `qemu-img` and `mkfs.ext4`.
#[test]
fn disks_of_installed_tools_are_detected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("disk");
    fs::create_dir(folder.path().join("files")).unwrap();
    fs::write(folder.path().join("files/one"), noise(100_000, 1)).unwrap();
    let tools: &[(u64, &str, &str)] = &[
        (64, "mkfs.ext2 -q -F disk", "an ext2, ext3 or ext4 file system"),
        (64, "mkfs.ext4 -q -F disk", "an ext2, ext3 or ext4 file system"),
        (64, "mkfs.ext4 -q -F -b 1024 disk", "an ext2, ext3 or ext4 file system"),
        (512, "mkfs.xfs -q disk", "an XFS file system"),
        (256, "mkfs.btrfs -q disk", "a Btrfs file system"),
        (2, "mkfs.fat -F 12 disk", "a FAT file system"),
        (64, "mkfs.fat -F 16 disk", "a FAT file system"),
        (512, "mkfs.fat -F 32 disk", "a FAT file system"),
        (64, "mkfs.ntfs -q -F disk", "an NTFS file system"),
        (64, "mkfs.exfat disk", "an exFAT file system"),
        (128, "mkfs.f2fs -q disk", "an F2FS file system"),
        (64, "mkfs.jfs -q disk", "a JFS file system"),
        (256, "mkfs.nilfs2 -q disk", "a NILFS2 file system"),
        (64, "mkreiserfs -q -f -f disk", "a ReiserFS file system"),
        (64, "mkfs.hfsplus disk", "an HFS+ file system"),
        (64, "mkfs.erofs disk files", "an EROFS file system"),
        (64, "mksquashfs files disk -noappend -quiet", "a SquashFS file system"),
        (64, "genisoimage -quiet -o disk files", "an ISO 9660 file system"),
        (64, "mkudffs disk", "a UDF file system"),
        (64, "mkswap disk", "a swap area"),
        (
            64,
            "cryptsetup -q luksFormat --type luks1 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 disk key",
            "a LUKS volume",
        ),
        (
            64,
            "cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 disk key",
            "a LUKS volume",
        ),
    ];
    fs::write(folder.path().join("key"), noise(32, 2)).unwrap();
    for (mib, line, name) in tools {
        let _ = fs::remove_file(&path);
        let file = File::create(&path).unwrap();
        file.set_len(mib * MIB).unwrap();
        let mut words = line.split(' ');
        let made = Command::new(words.next().unwrap()).args(words).current_dir(folder.path()).output();
        let Ok(made) = made else {
            println!("not installed: {line}");
            continue;
        };
        assert!(made.status.success(), "{line}: {made:?}");
        let found = content(&fs::read(&path).unwrap());
        assert!(matches!(found, Content::Disk(found) if found == *name), "{line}: {found:?}");
        assert_eq!(caution(&path), None, "{line}");
    }
}

/// Every installed archiver. CI has `tar` and `xz`.
#[test]
fn archives_of_installed_tools_are_detected() {
    let tools: &[(&str, &str)] = &[
        ("tar --format=v7 -cf packed files", "a tar archive"),
        ("tar --format=ustar -cf packed files", "a tar archive"),
        ("tar --format=gnu -cf packed files", "a tar archive"),
        ("tar --format=posix -cf packed files", "a tar archive"),
        ("xz -k -c files/one > packed", "xz"),
        ("xz -k -c --format=lzma files/one > packed", "lzma"),
        ("bzip2 -k -c files/one > packed", "bzip2"),
        ("lz4 -q -c files/one > packed", "lz4"),
        ("lz4 -q -l -c files/one > packed", "lz4"),
        ("lzop -c files/one > packed", "lzop"),
        ("lzip -k -c files/one > packed", "lzip"),
        ("lrzip -q -o packed files/one", "lrzip"),
        ("7z a -t7z packed files && mv packed.7z packed", "a 7z archive"),
        ("zip -q packed.zip files/one && mv packed.zip packed", "a zip archive"),
        ("ar rc packed files/one", "an ar archive, such as a Debian package"),
        ("find files | cpio -o -H newc > packed", "a cpio archive"),
        ("find files | cpio -o -H odc > packed", "a cpio archive"),
        ("find files | cpio -o -H bin > packed", "a cpio archive"),
        (
            "openssl enc -aes-256-cbc -pbkdf2 -k secret -in files/one -out packed",
            "a file encrypted with OpenSSL",
        ),
    ];
    for (line, name) in tools {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        fs::write(folder.path().join("files/one"), noise(100_000, 1)).unwrap();
        let script = format!("set -e; {line}");
        let made = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        if String::from_utf8_lossy(&made.stderr).contains("not found") {
            println!("not installed: {line}");
            continue;
        }
        assert!(made.status.success(), "{line}: {made:?}");
        assert_eq!(foreign(&fs::read(folder.path().join("packed")).unwrap()), *name, "{line}");
    }
}
