-- Makes the store, unless another replica was first.
-- KEYS: store.
-- ARGV: the id it gets if it has none.
-- Returns store_id, revision and succeeds.

redis.call('HSETNX', KEYS[1], 'store_id', ARGV[1])
redis.call('HSETNX', KEYS[1], 'revision', '0')
return redis.call('HMGET', KEYS[1], 'store_id', 'revision', 'succeeds')
