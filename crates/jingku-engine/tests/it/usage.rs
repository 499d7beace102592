//! How busy containers are, as real engines measure it.

use std::time::Duration;

use jingku_engine::Usage;

use crate::on_each_engine;

const MEMORY: u64 = 64 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_container_uses_more_than_an_idle_one() {
    on_each_engine(|under_test, engine| async move {
        let kind = under_test.kind();
        let id = under_test.container(&["--memory", "64m"]);
        let idle = engine.usage(&id).await.unwrap();
        assert_eq!(idle.memory_limit_bytes, MEMORY, "{kind:?}");
        assert!((1..MEMORY).contains(&idle.memory_bytes), "{kind:?}: {idle:?}");
        under_test.run(&["exec", "-d", &id, "/bin/sh", "-c", "while :; do :; done"]);
        let mut busy = engine.usage(&id).await.unwrap();
        // On a machine that is busy otherwise, it may have got little time in one second.
        for _ in 0..10 {
            if busy.cpu_milli > idle.cpu_milli + 100 {
                break;
            }
            busy = engine.usage(&id).await.unwrap();
        }
        assert!(busy.cpu_milli > idle.cpu_milli + 100, "{kind:?}: {idle:?} {busy:?}");

        engine.stop(&id, 1).await.unwrap();
        let stopped = tokio::time::timeout(Duration::from_secs(10), engine.usage(&id)).await.unwrap();
        let none = Usage { cpu_milli: 0, memory_bytes: 0, memory_limit_bytes: 0 };
        assert!(
            stopped.as_ref().is_err() || stopped.as_ref().is_ok_and(|usage| *usage == none),
            "{stopped:?}"
        );
        engine.remove(&id).await.unwrap();
        assert!(engine.usage(&id).await.is_err());
    })
    .await;
}
