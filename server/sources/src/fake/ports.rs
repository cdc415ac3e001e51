//! The two ports of the fake.

use std::{collections::BTreeMap, io};

use async_trait::async_trait;
use model::{
    ActualInstance, EnvId, InstanceId, InstanceState, Observation, Span, StartInstance,
    observation::SourceInfo,
};
use tokio_util::sync::CancellationToken;

use super::{FakePlatform, OnStart, OnStop, Order, crashed, ready};
use crate::{ActuateError, Actuator, Sink, Source};

fn refused() -> ActuateError {
    ActuateError::Io(io::Error::other("the test said so"))
}

#[async_trait]
impl Actuator for FakePlatform {
    async fn instances(&self, env: &EnvId) -> Vec<ActualInstance> {
        self.lock().instances.values().filter(|instance| &instance.env_id == env).cloned().collect()
    }

    async fn by_env(&self) -> BTreeMap<EnvId, Vec<ActualInstance>> {
        let mut found = BTreeMap::<_, Vec<_>>::new();
        for instance in self.lock().instances.values() {
            found.entry(instance.env_id.clone()).or_default().push(instance.clone());
        }
        found
    }

    async fn start(&self, order: StartInstance) -> Result<(), ActuateError> {
        let inner = &mut *self.lock();
        if inner.shutting_down {
            return Err(ActuateError::ShuttingDown);
        }
        if inner.failing_starts > 0 {
            inner.failing_starts -= 1;
            return Err(refused());
        }
        inner.orders.push(Order::Start(Box::new(order.clone())));
        let (now, on_start) = (inner.now, inner.on_start);
        inner.instances.entry(order.id.clone()).or_insert_with(|| {
            let mut instance = ActualInstance {
                id: order.id,
                env_id: order.target.env_id,
                process: order.process,
                release: order.release,
                release_number: order.release_number,
                restarts: order.restarts,
                state: InstanceState::Starting,
                ready: false,
                starts: 1,
                last_exit: None,
                not_ready: Some("starting".to_owned()),
                created_at: now,
                ready_since: now,
            };
            match on_start {
                OnStart::Starting => {}
                OnStart::Ready => ready(&mut instance, now),
                OnStart::Crash => crashed(&mut instance, 1, now),
            }
            instance
        });
        Ok(())
    }

    async fn stop(&self, id: &InstanceId) -> Result<(), ActuateError> {
        let inner = &mut *self.lock();
        if inner.shutting_down {
            return Err(ActuateError::ShuttingDown);
        }
        if inner.failing_stops > 0 {
            inner.failing_stops -= 1;
            return Err(refused());
        }
        inner.orders.push(Order::Stop(id.clone()));
        match inner.on_stop {
            OnStop::Gone => drop(inner.instances.remove(id)),
            OnStop::Linger => {
                if let Some(instance) = inner.instances.get_mut(id) {
                    instance.state = InstanceState::Stopping;
                    instance.ready = false;
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Source for FakePlatform {
    fn info(&self) -> SourceInfo {
        let interval = Span::seconds(5);
        SourceInfo { id: self.source.clone(), name: "fake".to_owned(), kind: "fake".to_owned(), interval }
    }

    /// Says what [`say`](FakePlatform::say) queued, batch by batch, and `Alive` within its interval.
    async fn run(&self, sink: Sink, shutdown: CancellationToken) {
        loop {
            let next = {
                let inner = &mut *self.lock();
                if inner.silent { None } else { inner.said.pop_front().map(|batch| (inner.now, batch)) }
            };
            if let Some((at, batch)) = next {
                if sink.send(at, batch).await.is_err() {
                    return;
                }
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.changed.notified() => {}
                () = tokio::time::sleep(self.info().interval.std() / 2) => {
                    let (silent, now) = { let inner = self.lock(); (inner.silent, inner.now) };
                    if !silent && sink.send(now, vec![Observation::Alive]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}
