//! What became of adopting the fleet, in a sentence.

use super::text::counted;
use bellwether_proto::http::AdoptionView;

pub(super) fn text(adoption: &AdoptionView) -> String {
    let AdoptionView { adopted, store_id, revision, configs, .. } = adoption;
    if !adopted {
        return format!(
            "nothing to do: every agent follows store {store_id} or one whose place it has taken"
        );
    }
    let holds = counted(*configs, "config");
    format!(
        "adopted: store {store_id} goes on at revision {revision}\n\
         it holds {holds}; agents drop what it does not hold: push what is missing"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_ingress::Revision;
    use bellwether_proto::StoreId;

    #[test]
    fn it_says_what_agents_will_drop_or_that_there_is_nothing_to_do() {
        let store_id = StoreId::new();
        let view = |adopted| AdoptionView {
            adopted,
            store_id,
            revision: Revision::from(43),
            succeeds: vec![StoreId::new()],
            configs: 1,
        };
        assert_eq!(
            text(&view(true)),
            format!(
                "adopted: store {store_id} goes on at revision 43\n\
                 it holds 1 config; agents drop what it does not hold: push what is missing"
            )
        );
        assert!(text(&view(false)).starts_with("nothing to do: "));
    }
}
