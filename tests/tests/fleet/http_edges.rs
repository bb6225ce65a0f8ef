//! What the HTTP API refuses, and in what words.

use bellwether_tests::{Answer, Fleet};

use crate::documents::document;

const YAML: &str = "application/yaml";

#[tokio::test]
async fn every_wrong_request_is_refused_with_a_problem_that_names_what_is_wrong() {
    let fleet = Fleet::shared().await.controllers(1).start().await;
    let controller = fleet.controller(0);
    let shop = document("shop", 8080);
    let put = async |name: &str, body: &str| {
        let path = format!("/v1/configs/{name}");
        controller.put(&path, YAML, body).await.expect("it answers")
    };

    let accepted = put("shop", &shop).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let id = accepted.body["rollout"].as_str().unwrap_or_default();
    assert_eq!(accepted.location, Some(format!("/v1/rollouts/{id}")));

    for broken in ["spec: [", "{", "", "a: b\n---\nc: d\n"] {
        refused(&put("shop", broken).await, 400);
    }

    let unknown = put("shop", &shop.replace("listeners:", "colour: red\n  listeners:")).await;
    refused(&unknown, 422);
    assert_eq!(unknown.body["errors"][0]["path"], "spec.colour", "{unknown:?}");

    let misnamed = put("blog", &shop).await;
    refused(&misnamed, 422);
    assert_eq!(misnamed.body["errors"][0]["path"], "metadata.name", "{misnamed:?}");

    let other_listener =
        document("blog", 8080).replace("protocol: HTTP", "protocol: HTTPS, defaultCertificate: {name: c}");
    let clash = put("blog", &other_listener).await;
    refused(&clash, 409);
    assert!(clash.body["detail"].as_str().unwrap_or_default().contains("document shop"), "{clash:?}");

    let large = format!("{shop}# {}\n", "x".repeat(1 << 20));
    refused(&put("shop", &large).await, 413);

    refused(&controller.delete("/v1/configs/nobody").await.expect("it answers"), 404);
    let nobody = fleet.delete("nobody").await;
    assert_eq!((nobody.code, nobody.rollouts.len()), (1, 0), "{nobody:#?}");
    for path in
        ["/v1/nothing", "/", "/v1/rollouts/nothing", "/v1/rollouts/0193da1e-0000-7000-8000-000000000000"]
    {
        refused(&controller.get(path).await.expect("it answers"), 404);
    }
    assert_eq!(controller.configs().await.expect("a list").len(), 1, "nothing of it was stored");
}

#[track_caller]
fn refused(answer: &Answer, status: u16) {
    assert_eq!((answer.status, answer.kind.as_str()), (status, "application/problem+json"), "{answer:?}");
    assert_eq!(answer.body["status"], status, "{answer:?}");
    for text in ["title", "detail"] {
        assert!(answer.body[text].as_str().is_some_and(|text| !text.is_empty()), "{answer:?}");
    }
}
