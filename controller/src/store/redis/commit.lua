-- Takes a change at the next revision if nothing was changed since it was decided.
-- KEYS: store, configs, tombstones.
-- ARGV: store_id and revision at which it was decided, the document's name, the document (to delete it: nothing).
-- Returns 1 if it was taken.

local store, configs, tombstones = KEYS[1], KEYS[2], KEYS[3]
local store_id, revision, name, document = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local head = redis.call('HMGET', store, 'store_id', 'revision')
if head[1] ~= store_id or head[2] ~= revision then return 0 end

-- A script that fails half way is not rolled back: so nothing is written before these are what they should be.
redis.call('HLEN', configs)
redis.call('HLEN', tombstones)

local next_revision = redis.call('HINCRBY', store, 'revision', 1)
if document then
  redis.call('HSET', configs, name, document)
  redis.call('HDEL', tombstones, name)
else
  redis.call('HDEL', configs, name)
  redis.call('HSET', tombstones, name, string.format('%.0f', next_revision))
end
return 1
