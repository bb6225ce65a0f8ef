#!/usr/bin/env python3
"""A Bellwether agent in Python 3.9+ and pika, after docs/protocol.md. What it serves lies in DIR as NAME.json; it
remembers nothing else, so each start fetches the whole set."""
import argparse, functools, hashlib, json, os, pika, random, secrets, signal, threading, time, uuid

class Fault(Exception):
    """Fault(kind, message): what a request is answered with that gets no reply."""

def digest(held):
    return hashlib.sha256("".join(f"{name} {held[name]}\n" for name in sorted(held)).encode()).hexdigest()

class Agent:
    def __init__(self, name, folder, fleet):
        uuid7 = int(time.time() * 1000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
        self.me, self.space = {"name": name, "instance": str(uuid.UUID(int=uuid7))}, f"bellwether.{fleet}"
        self.folder, self.generation, self.interval, self.stop = folder, 0, 1.0, threading.Event()
        # Revisions of the documents held, and of every name known; any other name counts as removed at the floor.
        self.store_id, self.revision, self.held, self.known, self.floor = None, 0, {}, {}, 0
        self.methods = {"SetIngressConfig": lambda asked: self.push(asked, {asked["name"]: asked["config"]}),
                        "DelIngressConfig": lambda asked: self.push(asked, {}), "Resync": self.compare,
                        "Ping": lambda _: {"instance": self.me["instance"]}, "Describe": lambda _: self.about}
        self.about = {**self.me, "version": "example", "protocol": 1, "methods": sorted(self.methods)}

    def serve(self, held, known, revision, documents):
        for name, document in documents.items():  # each in full or not at all
            with open(f"{self.folder}/{name}.json~", "w") as file:
                json.dump(document, file)
            os.replace(file.name, f"{self.folder}/{name}.json")
        for file in set(os.listdir(self.folder)) - {f"{name}.json" for name in held}:
            os.remove(f"{self.folder}/{file}")
        self.held, self.known, self.revision = held, known, revision
        self.beat()  # at once, for this is news

    def follows(self, store):
        return self.store_id in (None, store["store_id"], *store.get("succeeds", []))

    def push(self, asked, document):  # the document by its name, or nothing for a removal
        name, revision, known = asked["name"], asked["revision"], self.known.get(asked["name"], self.floor)
        serves = (name in self.held) == bool(document) and (revision == known or name not in self.known)
        if not self.follows(asked):
            raise Fault("Rejected", f"this agent follows store {self.store_id}")
        if asked["store_id"] != self.store_id:
            raise Fault("Unavailable", "the whole set of that store is not fetched yet")
        if revision > known:
            others = {other: at for other, at in self.held.items() if other != name}
            held = {**others, **dict.fromkeys(document, revision)}
            self.serve(held, {**self.known, name: revision}, max(revision, self.revision), document)
        elif not serves:
            raise Fault("Superseded", f"revision {known} took its place")
        return {"revision": self.revision, "digest": digest(self.held)}

    def compare(self, said):  # a Resync, or the answer to a beat, says what this agent should serve
        same, differs = said["store_id"] == self.store_id, said["digest"] != digest(self.held)
        stale = not same or differs and said["revision"] >= self.revision
        fetching = self.waiting.get("GetIngressConfigs", (0,))[0] > time.monotonic()
        if stale and self.follows(said) and not fetching:
            self.fetch(said["store_id"], self.held if same else {}, {}, {**said, "more": True})
        return {}

    def fetch(self, store_id, have, documents, page):  # takes a page in; asks for the next, or serves the whole set
        have = {name: at for name, at in have.items() if name not in page.get("removed", [])}
        have.update((config["name"], config["revision"]) for config in page.get("configs", []))
        documents.update((config["name"], config["config"]) for config in page.get("configs", []))
        older = store_id == self.store_id and page["revision"] < self.revision
        if page.get("more"):
            asked = {**self.me, "labels": {}, "have": have}
            self.send("GetIngressConfigs", asked, 10, functools.partial(self.fetch, store_id, have, documents))
        elif (store_id, digest(have)) == (page["store_id"], page["digest"]) and self.follows(page) and not older:
            self.store_id, self.floor = store_id, page["revision"]
            self.serve(have, have, page["revision"], documents)

    def beat(self, answered=None):
        known = {"store_id": self.store_id, "revision": self.revision, "digest": digest(self.held)}
        beat = {**self.me, "generation": self.generation, "version": "example", "labels": {}, **known}
        self.send("OnlineAgent", beat, self.interval, answered)

    def beat_answered(self, answer):
        self.interval = answer["next_beat_ms"] / 1000
        self.compare(answer)

    def send(self, method, body, seconds, then=None):  # a request if there is a `then`, else a notification
        call, ms = {}, int(seconds * 1000)
        if then:
            call = {"correlation_id": str(uuid.uuid4()), "reply_to": self.queue}
            self.waiting[method] = time.monotonic() + seconds, call["correlation_id"], then
        self.publish(f"{self.space}.controller", method, body, {"bw-deadline-ms": ms}, expiration=str(ms), **call)

    def publish(self, queue, kind, body, headers={}, **more):
        more.update(content_type="application/json", message_id=str(uuid.uuid4()), app_id=self.me["instance"])
        properties = pika.BasicProperties(type=kind, headers={"bw-protocol": 1, **headers}, **more)
        self.channel.basic_publish("", queue, json.dumps(body).encode(), properties, mandatory="reply_to" in more)

    def receive(self, channel, delivery, about, body):
        try:
            kind, answer = "reply", self.handle(about, about.headers or {}, body)
        except Fault as fault:
            kind, answer = "fault", dict(zip(("fault", "message"), fault.args))
        if answer is not None and about.reply_to:
            self.publish(about.reply_to, kind, answer, correlation_id=about.correlation_id)
        channel.basic_ack(delivery.delivery_tag)

    def handle(self, about, headers, body):  # returns the reply; nothing to what is dropped
        method, meant = about.type, headers.get("bw-instance", self.me["instance"])
        if method in ("reply", "fault"):
            for asked, (_, correlation_id, then) in list(self.waiting.items()):
                if correlation_id == about.correlation_id and self.waiting.pop(asked) and method == "reply":
                    then(json.loads(body))
            return None
        if headers.get("bw-protocol", 1) > 1:
            raise Fault("BadRequest", "protocol 1 is spoken here")
        if meant != self.me["instance"]:
            raise Fault("Unavailable", f"this is not instance {meant}")
        if method not in self.methods:
            raise Fault("UnknownMethod", str(method))
        if headers.get("bw-deadline-ms", 5000) < 1 or not (about.reply_to or method == "Resync"):
            return None
        try:
            return self.methods[method](json.loads(body))
        except (ValueError, KeyError, TypeError) as error:
            raise Fault("BadRequest", repr(error))
        except OSError as error:
            raise Fault("Internal", str(error))

    def live(self, url):  # over one connection, up to the goodbye
        settings = pika.URLParameters(url)
        settings.heartbeat, self.generation, self.waiting = 5, self.generation + 1, {}
        connection = pika.BlockingConnection(settings)
        self.channel = channel = connection.channel()
        self.queue = "{}.agent.{name}.{instance}.{}".format(self.space, self.generation, **self.me)
        channel.queue_declare(self.queue, exclusive=True, auto_delete=True, arguments={"x-queue-type": "classic"})
        for exchange, kind in ((f"{self.space}.agent", "direct"), (f"{self.space}.agent.all", "fanout")):
            channel.exchange_declare(exchange, kind, durable=True)
            channel.queue_bind(self.queue, exchange, self.me["name"])
        channel.basic_qos(prefetch_count=64)
        channel.basic_consume(self.queue, self.receive)
        beats, due = 0, 0
        while not self.stop.is_set():
            if time.monotonic() >= due:
                self.beat(self.beat_answered if beats % 5 == 0 else None)
                beats, due = beats + 1, time.monotonic() + self.interval
            connection.process_data_events(time_limit=0.1)
        heard, end = [], time.monotonic() + 1
        self.send("OfflineAgent", self.me, 1, heard.append)
        while not heard and time.monotonic() < end:
            connection.process_data_events(time_limit=0.1)
        connection.close()

def main():
    flags, pause = argparse.ArgumentParser(description=__doc__), 0.2
    flags.add_argument("--amqp-url", default="amqp://127.0.0.1:5672/%2f")
    flags.add_argument("--name", required=True)
    flags.add_argument("--dir", required=True)
    flags.add_argument("--fleet", default="default")
    args = flags.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    agent = Agent(args.name, args.dir, args.fleet)
    signal.signal(signal.SIGTERM, lambda *_: agent.stop.set())
    while not agent.stop.is_set():
        began = time.monotonic()
        try:
            agent.live(args.amqp_url)
        except (pika.exceptions.AMQPError, OSError) as error:
            print("no connection:", repr(error), flush=True)
            pause = 0.2 if time.monotonic() - began > 10 else min(2 * pause, 5)
            agent.stop.wait(random.uniform(0.1, pause))

if __name__ == "__main__":
    main()
