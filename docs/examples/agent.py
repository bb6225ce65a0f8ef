#!/usr/bin/env python3
"""A Bellwether agent in Python 3.9+ and pika, after docs/protocol.md. What it serves lies in DIR as NAME.json."""
import argparse, functools, hashlib, json, os, pika, random, secrets, signal, threading, time, uuid

class Fault(Exception):
    """What a request is answered with that gets no reply."""

def refuse(when, fault, message):
    if when:
        raise Fault({"fault": fault, "message": message})

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
        had = (name in self.held) == bool(document) and (revision == known or name not in self.known)
        refuse(not self.follows(asked), "Rejected", f"this agent follows store {self.store_id}")
        refuse(asked["store_id"] != self.store_id, "Unavailable", "that store's whole set is not fetched yet")
        refuse(revision <= known and not had, "Superseded", f"revision {known} took its place")
        if revision > known:
            others = {other: at for other, at in self.held.items() if other != name}
            held = {**others, **dict.fromkeys(document, revision)}
            self.serve(held, {**self.known, name: revision}, max(revision, self.revision), document)
        return {"revision": self.revision, "digest": digest(self.held)}

    def compare(self, said):  # with what a Resync, or the answer to a beat, says that it should serve
        same, differs = said["store_id"] == self.store_id, said["digest"] != digest(self.held)
        stale = not same or differs and said["revision"] >= self.revision
        if stale and self.follows(said) and time.monotonic() > self.fetching:
            self.fetch(said["store_id"], self.held if same else {}, {}, {**said, "more": True})
        return {}

    def fetch(self, store_id, have, documents, page):  # takes a page in; asks for the next, or serves the whole set
        have = {name: at for name, at in have.items() if name not in page.get("removed", [])}
        have.update((config["name"], config["revision"]) for config in page.get("configs", []))
        documents.update((config["name"], config["config"]) for config in page.get("configs", []))
        older, more = store_id == self.store_id and page["revision"] < self.revision, page.get("more", False)
        self.fetching = time.monotonic() + 10 if more else 0
        if more:
            then = functools.partial(self.fetch, store_id, have, documents)
            self.send("GetIngressConfigs", {**self.me, "have": have}, 10, then)
        elif (store_id, digest(have)) == (page["store_id"], page["digest"]) and self.follows(page) and not older:
            self.store_id, self.floor = store_id, page["revision"]
            self.serve(have, have, page["revision"], documents)

    def beat(self, answered=None):
        known = {"store_id": self.store_id, "revision": self.revision, "digest": digest(self.held)}
        beat = {**self.me, "generation": self.generation, "version": "example", **known}
        self.send("OnlineAgent", beat, self.interval, answered)

    def answered(self, answer):
        self.interval = answer["next_beat_ms"] / 1000
        self.compare(answer)

    def send(self, method, body, seconds, then=None):  # a request if there is a `then`, else a notification
        call, ms = {}, int(seconds * 1000)
        if then:
            call = {"correlation_id": str(uuid.uuid4()), "reply_to": self.queue}
            self.waiting[method] = call["correlation_id"], then
        self.publish(f"{self.space}.controller", method, body, {"bw-deadline-ms": ms}, expiration=str(ms), **call)

    def publish(self, queue, kind, body, headers={}, **properties):
        properties.update(content_type="application/json", message_id=str(uuid.uuid4()), app_id=self.me["instance"])
        message = pika.BasicProperties(type=kind, headers={"bw-protocol": 1, **headers}, **properties)
        self.channel.basic_publish("", queue, json.dumps(body).encode(), message, mandatory="reply_to" in properties)

    def receive(self, channel, delivery, about, body):
        kind, answer = "reply", None
        try:
            answer = self.answer(about, about.headers or {}, body)
        except Fault as fault:
            kind, answer = "fault", fault.args[0]
        if answer is not None and about.reply_to:
            self.publish(about.reply_to, kind, answer, correlation_id=about.correlation_id)
        channel.basic_ack(delivery.delivery_tag)

    def answer(self, about, headers, body):  # nothing: it is dropped
        if about.type in ("reply", "fault"):
            for method, (correlation_id, then) in list(self.waiting.items()):
                if correlation_id == about.correlation_id:
                    del self.waiting[method]
                    about.type == "reply" and then(json.loads(body))
            return None
        meant = headers.get("bw-instance", self.me["instance"])
        refuse(headers.get("bw-protocol", 1) > 1, "BadRequest", "protocol 1 is spoken here")
        refuse(meant != self.me["instance"], "Unavailable", f"this is not instance {meant}")
        refuse(about.type not in self.methods, "UnknownMethod", str(about.type))
        if headers.get("bw-deadline-ms", 5000) < 1 or not (about.reply_to or about.type == "Resync"):
            return None
        try:
            return self.methods[about.type](json.loads(body))
        except (ValueError, KeyError, TypeError) as error:
            refuse(True, "BadRequest", repr(error))

    def live(self, url):  # over one connection, up to the goodbye
        settings = pika.URLParameters(url)
        settings.heartbeat, self.generation, self.waiting, self.fetching = 5, self.generation + 1, {}, 0
        connection = pika.BlockingConnection(settings)
        self.channel = connection.channel()
        self.queue = "{space}.agent.{name}.{instance}.{n}".format(space=self.space, n=self.generation, **self.me)
        self.channel.queue_declare(self.queue, exclusive=True, auto_delete=True, arguments={"x-queue-type": "classic"})
        for exchange, kind in ((f"{self.space}.agent", "direct"), (f"{self.space}.agent.all", "fanout")):
            self.channel.exchange_declare(exchange, kind, durable=True)
            self.channel.queue_bind(self.queue, exchange, self.me["name"])
        self.channel.basic_qos(prefetch_count=64)
        self.channel.basic_consume(self.queue, self.receive)
        beats, due = 0, 0
        while not self.stop.is_set():
            if time.monotonic() >= due:
                self.beat(self.answered if beats % 5 == 0 else None)
                beats, due = beats + 1, time.monotonic() + self.interval
            connection.process_data_events(time_limit=0.1)
        self.send("OfflineAgent", self.me, 1, lambda _: connection.close())
        connection.process_data_events(time_limit=1)

def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--amqp-url", default="amqp://127.0.0.1:5672/%2f")
    flags.add_argument("--name", required=True)
    flags.add_argument("--dir", required=True)
    flags.add_argument("--fleet", default="default")
    args = flags.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    agent, bound = Agent(args.name, args.dir, args.fleet), 0.2
    signal.signal(signal.SIGTERM, lambda *_: agent.stop.set())
    while not agent.stop.is_set():
        try:
            agent.live(args.amqp_url)
        except (pika.exceptions.AMQPError, OSError) as error:
            print("no connection:", repr(error), flush=True)
            agent.stop.wait(random.uniform(0.1, bound))

if __name__ == "__main__":
    main()
