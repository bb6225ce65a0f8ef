-- A part of all agents that are known. Looks up keys that follow from what it finds: all are in the fleet's slot.
-- KEYS: online, known, conflicts.
-- ARGV: cursor, about how many, what an agent's key begins with.
-- Returns the next cursor, the time in ms, and for each agent its name, its entry in `known`, whether it is alive,
-- whether it is in the index and whether there is a conflict.

local online, known, conflicts = KEYS[1], KEYS[2], KEYS[3]
local scan = redis.call('HSCAN', known, ARGV[1], 'COUNT', ARGV[2])

local function flag(condition)
  return condition and 1 or 0
end

local agents = {}
for field = 1, #scan[2], 2 do
  local name, entry = scan[2][field], scan[2][field + 1]
  local conflict_until = read('ZSCORE', conflicts, name)
  agents[#agents + 1] = {
    name,
    entry,
    flag(alive(ARGV[3] .. name)),
    flag(read('ZSCORE', online, name)),
    flag(conflict_until and tonumber(conflict_until) > now),
  }
end
return { scan[1], now, agents }
