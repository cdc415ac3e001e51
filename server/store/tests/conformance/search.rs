//! Search: by id, by the begin of a name, by trace.

use model::{Observation, TraceId, fixtures::NOON, observation::ObservedObject};

use crate::place::{Place, audit, batch, event, new_event, object, seen};

crate::on_both_engines!(
    an_id_is_found_exactly_whatever_its_kind_and_when_it_is_gone,
    a_name_is_found_by_its_begin_and_an_env_by_any_part,
    a_trace_leads_to_everything_that_its_request_left,
);

fn named(id: &str, name: &str) -> Observation {
    object(ObservedObject { name: name.into(), ..seen(id, vec![]) })
}

async fn an_id_is_found_exactly_whatever_its_kind_and_when_it_is_gone(place: Place) {
    let store = place.ready().await;
    let all = vec![named("ins_1", "i-1"), named("ins_12", "i-12")];
    store.ingest(vec![batch(NOON, all)]).await.unwrap();
    store.ingest(vec![batch(NOON, vec![Observation::Gone(seen("ins_1", vec![]).key)])]).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let found = reader.objects_by_id("ins_1", 9).await.unwrap();
    assert_eq!(found.iter().map(|f| (f.name.as_str(), f.is_gone)).collect::<Vec<_>>(), [("i-1", true)]);
    for nothing in ["ins_", "INS_1", "", "a\0b", "%"] {
        assert!(reader.objects_by_id(nothing, 9).await.unwrap().is_empty(), "{nothing:?}");
    }
}

async fn a_name_is_found_by_its_begin_and_an_env_by_any_part(place: Place) {
    let store = place.ready().await;
    let env = |id: &str, name: &str| {
        let key = model::fixtures::object("env", id).key;
        object(ObservedObject { key, name: name.into(), ..seen(id, vec![]) })
    };
    let all = vec![
        named("ins_1", "Checkout-web-1"),
        named("ins_2", "checkout_web"),
        named("ins_3", "other"),
        env("env_1", "shop-checkout/prod"),
    ];
    store.ingest(vec![batch(NOON, all)]).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let cases: [(&str, &[&str]); 5] = [
        ("check", &["Checkout-web-1", "checkout_web"]),
        ("CHECKOUT-", &["Checkout-web-1"]),
        ("checkout%", &[]),
        ("", &[]),
        ("eckout", &[]),
    ];
    for (begin, expected) in cases {
        let found = reader.objects_by_begin(begin, 9).await.unwrap();
        assert_eq!(found.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), expected, "{begin}");
    }
    assert_eq!(reader.objects_by_begin("c", 1).await.unwrap().len(), 1);
    let envs = reader.envs_by_part("CHECKOUT/", 9).await.unwrap();
    assert_eq!(envs.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["shop-checkout/prod"]);
}

async fn a_trace_leads_to_everything_that_its_request_left(place: Place) {
    let store = place.ready().await;
    let trace = TraceId::mint(1);
    let event = event(model::NewEvent { trace_id: Some(trace.clone()), ..new_event(NOON, "ins_1") });
    let done = store.ingest(vec![batch(NOON, vec![object(seen("ins_1", vec![])), event])]).await.unwrap();
    let row = store.audit_insert(audit("wait.stop", None)).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let traced = reader.traced(&trace, 9).await.unwrap();
    assert_eq!((traced.audit, traced.receipts.len()), (vec![row], 0));
    assert_eq!(traced.events.iter().map(|id| id.0).collect::<Vec<_>>(), done.events);
    assert_eq!(reader.traced(&TraceId::mint(2), 9).await.unwrap(), store::Traced::default());
}
