//! `jingku cluster`: the servers that share a PostgreSQL catalogue.

use jingku_library::{ClusterStatus, ForgottenHost, Host, Task};
use serde_json::{Value, json};

use crate::args::{ClusterCommand, Global};
use crate::failure::Failure;
use crate::library::open;
use crate::messages::tr;
use crate::output::{Listing, done, print, print_json, time};

pub(crate) async fn run(global: &Global, command: ClusterCommand) -> Result<(), Failure> {
    match command {
        ClusterCommand::Status => status(global).await,
        ClusterCommand::Forget { name } => forget(global, &name).await,
    }
}

async fn forget(global: &Global, name: &str) -> Result<(), Failure> {
    let ForgottenHost { instances, jobs, uploads } = open(global).await?.forget_host(name).await?;
    let text = tr!("cluster-forgotten", name, instances, jobs, uploads);
    let json =
        json!({ "Name": name, "RemovedInstances": instances, "FailedJobs": jobs, "FailedUploads": uploads });
    done(global, &json, &text)
}

async fn status(global: &Global) -> Result<(), Failure> {
    let ClusterStatus { hosts, tasks } = open(global).await?.cluster_status().await?;
    if global.json {
        let hosts: Vec<Value> = hosts.iter().map(host_json).collect();
        let tasks: Vec<Value> = tasks.iter().map(task_json).collect();
        return print_json(&json!({ "Hosts": hosts, "Tasks": tasks }));
    }
    let state = |host: &Host| if host.is_live { tr!("cluster-live") } else { tr!("cluster-gone") };
    Listing::of(&hosts)
        .column(tr!("table-host"), |host| host.name.clone())
        .column(tr!("table-state"), state)
        .column(tr!("table-seen"), |host| tr!("cluster-seconds-ago", seconds = host.seen_secs))
        .column(tr!("table-started"), |host| time(host.started_at))
        .column(tr!("table-version"), |host| host.version.clone())
        .column(tr!("table-schema"), |host| host.schema_version.to_string())
        .column(tr!("table-instances"), |host| host.instances.to_string())
        .column(tr!("table-waiting"), |host| host.waiting_jobs.to_string())
        .column(tr!("table-running"), |host| host.running_jobs.to_string())
        .column(tr!("table-uploads"), |host| host.uploads.to_string())
        .column(tr!("table-address"), |host| host.address.clone())
        .print(10, &tr!("cluster-none"))?;
    if tasks.is_empty() {
        return Ok(());
    }
    print("")?;
    let holder = |task: &Task| {
        if is_running(task) { task.host.clone() } else { tr!("cluster-idle", host = task.host) }
    };
    Listing::of(&tasks)
        .column(tr!("table-task"), |task| task.name.clone())
        .column(tr!("table-holder"), holder)
        .column(tr!("table-lease"), |task| task.lease.to_string())
        .print(1, "")
}

fn is_running(task: &Task) -> bool {
    task.left_secs > 0
}

fn host_json(host: &Host) -> Value {
    json!({ "Name": host.name, "Live": host.is_live, "SeenSecondsAgo": host.seen_secs, "StartedAt": host.started_at,
            "Version": host.version, "Schema": host.schema_version, "Address": host.address,
            "Instances": host.instances, "WaitingJobs": host.waiting_jobs, "RunningJobs": host.running_jobs,
            "Uploads": host.uploads })
}

fn task_json(task: &Task) -> Value {
    json!({ "Name": task.name, "Host": task.host, "Running": is_running(task), "Lease": task.lease })
}
