//! The commands and configurations of docs/operate/scale.md, as they stand there but for names of machines and folders.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use super::balancer::free_port;
use super::{Host, Shared};
use crate::disk;
use crate::home::{Ended, until};
use crate::server::{Server, wait};

/// A page of docs/operate.
fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate").join(name);
    fs::read_to_string(path).unwrap()
}

/// The blocks in a language of a text, in order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    text.split(&start).skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

/// The first block in a language of a page of docs/operate.
pub(super) fn block(name: &str, language: &str) -> String {
    blocks(&page(name), language).swap_remove(0)
}

/// A text in which the first words of each pair, which must be there, are replaced by the second ones.
pub(super) fn replaced(mut text: String, pairs: &[(&str, &str)]) -> String {
    for (old, new) in pairs {
        assert!(text.contains(old), "{old:?} is not in {text}");
        text = text.replace(old, new);
    }
    text
}

/// A machine on which somebody follows the document.
struct Machine<'a> {
    host: Host,
    /// What the document calls things, and what they are called here.
    names: Vec<(&'a str, String)>,
    server: Option<Server>,
}

impl Machine<'_> {
    /// The command of a line, without its comment.
    fn command(&self, line: &str) -> Command {
        let words = line.split('#').next().unwrap().split_whitespace();
        let words: Vec<String> = words
            .map(|word| {
                let name = self.names.iter().find(|(name, _)| *name == word);
                name.map_or_else(|| word.to_owned(), |(_, here)| here.clone())
            })
            .collect();
        assert_eq!(words[0], "jingku", "{line}");
        self.host.command(&words[1..].iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Does what the lines say.
    fn follow(&mut self, block: &str) {
        let mut moving = None;
        let said = self.host.0.path("said");
        for line in block.lines() {
            match line.split_whitespace().take(2).collect::<Vec<_>>()[..] {
                ["jingku", "serve"] => self.server = Some(Server::start(&mut self.command(line))),
                ["jingku", "migrate-storage"] => {
                    let mut command = self.command(line);
                    command.stdout(Stdio::null()).stderr(File::create(&said).unwrap());
                    moving = Some(command.spawn().unwrap());
                }
                ["#", "when"] => {
                    let mut moving = moving.take().unwrap();
                    until("it says so", || fs::read_to_string(&said).unwrap().contains("Stop it now"));
                    self.server.take().unwrap().stop();
                    assert!(wait(&mut moving).success(), "{}", fs::read_to_string(&said).unwrap());
                }
                ["jingku", _] => drop(Ended::of(&mut self.command(line)).succeeded()),
                // The tests set the variables.
                ["export", ..] | ["#", "in"] => {}
                _ => panic!("{line:?} is not a command"),
            }
        }
    }
}

#[test]
fn a_library_grows_from_one_binary_to_two_machines() {
    let Some(shared) = Shared::new() else { return };
    let text = page("scale.md");
    let (_, steps) = text.split_once("**2. PostgreSQL and a bucket.**").unwrap();
    let (first, second) = steps.split_once("**4. A second machine.**").unwrap();
    let second = second.split_once("**5. A balancer.**").unwrap().0;
    let ports = [free_port(), free_port()];
    let machine = |number: usize| {
        let host = shared.host("unused", "");
        let listen = format!("127.0.0.1:{}", ports[number]);
        let config = replaced(
            blocks(first, "toml").remove(0),
            &[
                ("10.0.0.1:8480", &listen),
                ("gpu-1", ["gpu-1", "gpu-2"][number]),
                ("https://images.example.com", &format!("http://{listen}")),
                ("postgres://jingku@db.example.com/jingku", &shared.database),
                ("https://s3.example.com\"", &format!("{}\"\nallow_http = true", shared.s3.endpoint())),
            ],
        );
        let names = vec![
            ("jingku.toml", host.0.file("jingku.toml", config.as_bytes())),
            ("/srv/jingku", host.0.data().display().to_string()),
            ("postgres://jingku@db.example.com/jingku", shared.database.clone()),
            ("/var/lib/libvirt/images/7.qcow2", host.0.path("7.raw").display().to_string()),
        ];
        Machine { host, names, server: None }
    };
    let [mut one, mut two] = [0, 1].map(machine);

    // Step 1.
    one.server = Some(Server::start(&mut one.host.command(&["serve", "--listen", "127.0.0.1:0"])));
    one.host.add_instance("uhost-1", &disk::bytes(5, 1));
    let image = one.host.make("uhost-1", "first");
    for block in blocks(first, "sh") {
        one.follow(&block);
    }
    disk::write(&two.host.0.path("7.raw"), &disk::bytes(6, 2));
    for block in blocks(second, "sh") {
        two.follow(&block);
    }

    let live = ["gpu-1", "gpu-2"].map(|name| two.host.status_of(name)["Live"].clone());
    assert_eq!(live, [true, true]);
    assert!(two.host.bytes(&image) == disk::bytes(5, 1));
    let later = one.host.make("uhost-7", "later");
    assert!(one.host.bytes(&later) == disk::bytes(6, 2));
    two.host.assert_intact();
    for machine in [one, two] {
        machine.server.unwrap().stop();
    }
}
