//! The fake keeps its own promises.

use std::collections::BTreeMap;

use model::{AppId, EnvId, EnvRef, ReleaseId, Span, spec::ProcessSpec};

use super::*;
use crate::Actuator;

fn order(n: u64) -> StartInstance {
    let target = EnvRef { app_id: AppId::mint(1), app: "a".into(), env_id: EnvId::mint(1), env: "e".into() };
    let spec = ProcessSpec {
        command: vec!["run".into()],
        workdir: None,
        env: BTreeMap::new(),
        instances: 1,
        port: None,
        health: model::spec::Health::default(),
        restart: model::spec::Restart::default(),
        stop_grace: Span::seconds(1),
    };
    let (id, release, process) = (InstanceId::mint(n), ReleaseId::mint(1), "web".to_owned());
    let files = BTreeMap::new();
    StartInstance { id, target, process, release, release_number: 1, restarts: 0, generation: 1, spec, files }
}

#[tokio::test]
async fn orders_are_idempotent_remembered_and_fail_on_demand() {
    let fake = FakePlatform::new(SourceId::mint(1), Ts(0));
    fake.fail_starts(1);
    assert!(fake.start(order(1)).await.is_err());
    fake.start(order(1)).await.expect("taken");
    fake.start(order(1)).await.expect("taken again");
    assert_eq!((fake.all().len(), fake.take_orders().len()), (1, 2));
    fake.crash(&order(1).id, 1);
    fake.make_all_ready();
    assert!(fake.instances(&EnvId::mint(1)).await[0].ready);
    fake.stop(&order(1).id).await.expect("taken");
    assert!(fake.by_env().await.is_empty());
}
