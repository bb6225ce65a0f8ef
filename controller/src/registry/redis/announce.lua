-- A replica is there.
-- KEYS: replicas, the replica's key.
-- ARGV: instance, what it says of itself, time to live in ms.

local replicas, key = KEYS[1], KEYS[2]
local instance, replica, ttl = ARGV[1], ARGV[2], ARGV[3]

redis.call('SET', key, replica, 'PX', ttl)
write('ZREMRANGEBYSCORE', replicas, '-inf', digits(now))
write('ZADD', replicas, digits(now + ttl), instance)
