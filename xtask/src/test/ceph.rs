//! Runs the tests of buckets on a real object store: a Ceph cluster of one monitor, manager, disk in memory and gateway,
//! in the folder of builds. Not one of the default steps.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::workspace::{Workspace, command, run, strict};

const PACKAGES: &str = "ceph-mon ceph-osd ceph-mgr ceph-common radosgw";
/// How long the gateway may take to answer. It needs a quarter of that.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// Who uses the keyring, and may do everything.
const USERS: [&str; 5] = ["mon.", "client.admin", "mgr.x", "osd.0", "client.rgw"];

pub(super) fn test(workspace: &Workspace) -> Result<()> {
    if !Path::new("/usr/bin/radosgw").exists() {
        let install = format!("--quiet install --yes --no-install-recommends {PACKAGES}");
        run(workspace.command("apt-get", &install).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    let started = Instant::now();
    let cluster = Cluster::start(&workspace.target.join("ceph"))?;
    println!("started in {:.0} s", started.elapsed().as_secs_f64());
    let mut test = workspace.cargo("test --package jingku-chunks --all-features --test it -- bucket::");
    run(strict(test.env("JINGKU_TEST_S3", &cluster.endpoint)))
}

/// A cluster that ends when dropped.
struct Cluster {
    folder: PathBuf,
    endpoint: String,
    servers: Vec<Child>,
}

impl Cluster {
    fn start(folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).context("remove the last cluster")?;
        }
        for name in ["mon", "mgr/x", "osd/0", "rgw"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let (monitor, gateway) = (free_port()?, free_port()?);
        let endpoint = format!("http://127.0.0.1:{gateway}");
        let mut cluster = Self { folder: folder.to_owned(), endpoint, servers: Vec::new() };
        let (id, disk) = (uuid()?, uuid()?);
        fs::write(folder.join("ceph.conf"), configuration(folder, &id, monitor, gateway))?;
        fs::write(folder.join("keyring"), "")?;
        for user in USERS {
            let all = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"];
            let mut create = cluster.command("ceph-authtool", &format!("keyring --gen-key -n {user}"));
            run(create.args(all))?;
        }
        let address = format!("[v2:127.0.0.1:{monitor}]");
        let map = format!("--create --fsid {id} --addv a {address} monmap");
        run(cluster.command("monmaptool", &map).stdout(Stdio::null()))?;
        run(&mut cluster.command("ceph-mon", "--mkfs -i a --monmap monmap --keyring keyring"))?;
        cluster.serve("ceph-mon", "-i a")?;
        run(cluster.command("ceph", &format!("osd new {disk}")).stdout(Stdio::null()))?;
        run(&mut cluster.command("ceph-osd", &format!("-i 0 --mkfs --osd-uuid {disk}")))?;
        cluster.serve("ceph-osd", "-i 0")?;
        cluster.serve("ceph-mgr", "-i x")?;
        let user =
            "user create --uid jingku --display-name jingku --access-key jingku --secret-key jingku-secret";
        run(cluster.command("radosgw-admin", user).stdout(Stdio::null()))?;
        cluster.serve("radosgw", "-n client.rgw --keyring keyring")?;
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, gateway)).is_err() {
            if started.elapsed() > START_TIMEOUT {
                bail!("the gateway does not answer; {} has its log", folder.display());
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(cluster)
    }

    fn command(&self, program: &str, arguments: &str) -> Command {
        let mut command = command(&self.folder, program, arguments);
        command.env("CEPH_CONF", self.folder.join("ceph.conf")).stdin(Stdio::null());
        command
    }

    fn serve(&mut self, program: &str, arguments: &str) -> Result<()> {
        let log = fs::File::create(self.folder.join(format!("{program}.out")))?;
        let mut server = self.command(program, &format!("-f {arguments}"));
        self.servers.push(server.stdout(log.try_clone()?).stderr(log).spawn().context(program.to_owned())?);
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for server in self.servers.iter_mut().rev() {
            // What cannot be ended has ended.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn configuration(folder: &Path, id: &str, monitor: u16, gateway: u16) -> String {
    let folder = folder.display();
    format!(
        "[global]\nfsid = {id}\nmon host = [v2:127.0.0.1:{monitor}/0]\npublic addr = 127.0.0.1\n\
         cluster addr = 127.0.0.1\nrun dir = {folder}\nadmin socket =\nlog file = {folder}/$name.log\n\
         pid file = {folder}/$name.pid\nkeyring = {folder}/keyring\n\
         osd pool default size = 1\nosd pool default min size = 1\nosd pool default pg num = 1\n\
         osd pool default pg autoscale mode = off\nosd crush chooseleaf type = 0\n\
         mon allow pool size one = true\nmon data avail crit = 1\n\
         osd objectstore = memstore\nmemstore device bytes = 2147483648\n\
         [mon.a]\nmon data = {folder}/mon/a\n[mgr.x]\nmgr data = {folder}/mgr/x\n\
         [osd.0]\nosd data = {folder}/osd/0\n\
         [client.rgw]\nrgw frontends = beast endpoint=127.0.0.1:{gateway}\nrgw data = {folder}/rgw\n"
    )
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn uuid() -> Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/uuid")?.trim().to_owned())
}
