-- Keeps a rollout as it stands, and forgets in the index those that have expired. One that is done stays so: a
-- look at it while it ran may arrive late, over a connection that was given up.
-- KEYS: rollouts, the rollout's key.
-- ARGV: id, rollout, for how long in seconds.

local rollouts, key = KEYS[1], KEYS[2]
local id, rollout, life = ARGV[1], ARGV[2], ARGV[3]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZADD', rollouts, 'NX', string.format('%.0f', now), id)
redis.call('ZREMRANGEBYSCORE', rollouts, '-inf', string.format('%.0f', now - life * 1000))
redis.call('EXPIRE', rollouts, life)

local done = '"state":"done"'
local kept = redis.pcall('GET', key)
if type(kept) == 'string' and kept:find(done, 1, true) and not rollout:find(done, 1, true) then
  return
end
redis.call('SET', key, rollout, 'EX', life)
