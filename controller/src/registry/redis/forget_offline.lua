-- Forgets, in a part of all agents that are known, those that have been offline for long. One that is neither alive
-- nor in the index nor recorded as offline has lost its place in the index: it gets it back, to be called offline.
-- Looks up keys that follow from what it finds: all are in the fleet's slot.
-- KEYS: online, known, conflicts.
-- ARGV: cursor, about how many, what an agent's key begins with, for how long in ms.
-- Returns the next cursor, and how many it forgot.

local online, known, conflicts = KEYS[1], KEYS[2], KEYS[3]
local scan = redis.call('HSCAN', known, ARGV[1], 'COUNT', ARGV[2])

local forgotten = 0
for field = 1, #scan[2], 2 do
  local name, entry = scan[2][field], scan[2][field + 1]
  if not alive(ARGV[3] .. name) and not read('ZSCORE', online, name) then
    local since = string.match(entry, '^{"last_seen":%d+,"offline_since":(%d+),')
    if not since then
      write('ZADD', online, digits(now), name)
    elseif since + ARGV[4] < now then
      redis.call('HDEL', known, name)
      read('ZREM', conflicts, name)
      forgotten = forgotten + 1
    end
  end
end
return { scan[1], forgotten }
