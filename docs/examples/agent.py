#!/usr/bin/env python3
"""A Bellwether agent in Python 3.9+ and pika, after docs/protocol.md: agent.py NAME FILE AMQP_URL FLEET
What it serves lies in FILE. It remembers nothing else, so each start fetches the whole set."""
import hashlib, json, os, pika, random, secrets, signal, sys, time, types, uuid

name, file, url, fleet = sys.argv[1:]
uuid7 = int(time.time() * 1000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
me, space, generation = {"name": name, "instance": str(uuid.UUID(int=uuid7))}, f"bellwether.{fleet}", 0
state = {"store_id": None, "revision": 0, "digest": hashlib.sha256().hexdigest()}
# What is known of documents by name: removals have no "config", and any other name was removed at the floor.
my = types.SimpleNamespace(known={}, floor=0, fetched={}, fetching_until=0, beat_ms=1000, next_beat=0, stopping=False)

def digest(known):
    lines = [f"{name} {known[name]['revision']}\n" for name in sorted(known) if "config" in known[name]]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
def serve(known, store_id, revision):
    with open(f"{file}~", "w") as new:
        json.dump({"configs": [known[name]["config"] for name in sorted(known) if "config" in known[name]]}, new)
    os.replace(new.name, file)  # in full or not at all
    state.update(store_id=store_id, revision=revision, digest=digest(known))
    my.known, my.next_beat = known, 0  # the beat tells it at once
def push(asked, document):  # to serve this document, or, when it is empty, no more
    at, known = asked["revision"], my.known.get(asked["name"], {"revision": my.floor})
    if asked["store_id"] != state["store_id"]:
        return {"fault": "Unavailable" if wants(asked) else "Rejected", "message": f"serving {state}"}
    if at > known["revision"]:
        serve({**my.known, asked["name"]: {"revision": at, **document}}, asked["store_id"], max(at, state["revision"]))
    elif ("config" in known) != bool(document) or at < known["revision"] and asked["name"] in my.known:
        return {"fault": "Superseded", "message": f"revision {known['revision']} took its place"}
    return {"revision": state["revision"], "digest": state["digest"]}
def wants(said):  # whether that is another set, and of a store that is neither foreign nor behind
    newer = said.get("digest") != state["digest"] and said["revision"] >= state["revision"]
    return newer if said["store_id"] == state["store_id"] else state["store_id"] in (None, *said.get("succeeds", []))
def compare(said):  # a Resync, or the answer to a beat, says what should be served
    my.beat_ms = min(max(said.get("next_beat_ms", my.beat_ms), 100), 60_000)
    if wants(said) and time.monotonic() > my.fetching_until:
        fetch({**said, "more": True})
    return {}
def fetch(page):  # takes a page in, then asks for the next, or serves the whole set
    known = {**my.fetched.get(page["store_id"], {}), **{new["name"]: new for new in page.get("configs", [])}}
    my.fetched, my.fetching_until = ({page["store_id"]: known}, time.monotonic() + 3) if page.get("more") else ({}, 0)
    if page.get("more"):
        asked = {**me, "labels": {}, "have": {name: known[name]["revision"] for name in known}}
        send("GetIngressConfigs", asked, 3000, correlation_id="page", reply_to=queue)
    elif wants(page) and digest(known) == page["digest"]:
        my.floor = page["revision"]
        serve(known, page["store_id"], page["revision"])
METHODS = {"SetIngressConfig": lambda asked: push(asked, {"config": dict(asked["config"])}), "Resync": compare,
           "DelIngressConfig": lambda asked: push(asked, {}), "Ping": lambda _: {"instance": me["instance"]},
           "Describe": lambda _: {**me, "version": "example", "protocol": 1, "methods": sorted(METHODS)}}
ANSWERS = {("reply", "beat"): compare, ("reply", "page"): fetch}
def receive(about, body):
    given, answer = {"bw-protocol": 1, "bw-deadline-ms": 5000, "bw-instance": me["instance"]}, None
    given.update((key, it) for key, it in (about.headers or {}).items() if isinstance(it, type(given.get(key))))
    faults = {"BadRequest": given["bw-protocol"] > 1, "Unavailable": given["bw-instance"] != me["instance"],
              "UnknownMethod": about.type not in METHODS}
    try:
        if about.type in ("reply", "fault"):
            ANSWERS.get((about.type, about.correlation_id), str)(json.loads(body))
        elif any(faults.values()):
            answer = {"fault": next(filter(faults.get, faults)), "message": f"this is {me}, of protocol 1"}
        elif given["bw-deadline-ms"] > 0 and (about.reply_to or about.type == "Resync"):
            answer = METHODS[about.type](json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        answer = {"fault": "BadRequest", "message": repr(error)}
    if answer is not None and about.reply_to and about.type not in ("reply", "fault"):
        send("fault" if "fault" in answer else "reply", answer, to=about.reply_to, correlation_id=about.correlation_id)
def send(kind, body, ms=None, to=f"{space}.controller", **more):  # a request, when it has a reply_to
    headers = {"bw-protocol": 1, "bw-deadline-ms": ms} if ms else {"bw-protocol": 1}
    more.update(expiration=ms and str(ms), message_id=str(uuid.uuid4()), app_id=me["instance"])
    about = pika.BasicProperties("application/json", type=kind, headers=headers, **more)
    channel.basic_publish("", to, json.dumps(body).encode(), about, mandatory="reply_to" in more)

signal.signal(signal.SIGTERM, lambda *_: vars(my).update(stopping=True))
while not my.stopping:
    try:
        with pika.BlockingConnection(pika.URLParameters(f"{url}?heartbeat=5")) as connection:
            channel, generation, my.next_beat, beats = connection.channel(), generation + 1, 0, 0
            queue = f"{space}.agent.{name}.{me['instance']}.{generation}"
            channel.queue_declare(queue, exclusive=True, auto_delete=True, arguments={"x-queue-type": "classic"})
            for exchange, kind in ((f"{space}.agent", "direct"), (f"{space}.agent.all", "fanout")):
                channel.exchange_declare(exchange, kind, durable=True)
                channel.queue_bind(queue, exchange, name)
            channel.basic_qos(prefetch_count=64)
            for delivery, about, body in channel.consume(queue, inactivity_timeout=0.1):
                if delivery:
                    receive(about, body)
                    channel.basic_ack(delivery.delivery_tag)
                if my.stopping:
                    send("OfflineAgent", me, 1000)
                    break
                if time.monotonic() >= my.next_beat:
                    beat = {**me, **state, "generation": generation, "version": "example", "labels": {}}
                    asks = {"correlation_id": "beat", "reply_to": queue} if beats % 5 == 0 else {}
                    send("OnlineAgent", beat, my.beat_ms, **asks)
                    beats, my.next_beat = beats + 1, time.monotonic() + my.beat_ms / 1000
    except (pika.exceptions.AMQPError, OSError) as error:
        print("no connection:", repr(error), flush=True)
        time.sleep(random.uniform(0.1, 5))
