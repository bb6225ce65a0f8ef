-- Takes another head if nothing was changed since it was decided: every change raises the revision.
-- KEYS: store.
-- ARGV: store_id and revision at which it was decided; store_id, revision and succeeds from now on.
-- Returns 1 if it was taken.

local head = redis.call('HMGET', KEYS[1], 'store_id', 'revision')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return 0 end

redis.call('HSET', KEYS[1], 'store_id', ARGV[3], 'revision', ARGV[4], 'succeeds', ARGV[5])
return 1
