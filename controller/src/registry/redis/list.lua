-- A part of all agents that are known. Looks up keys that follow from what it finds: all are in the fleet's slot.
-- KEYS: online, known, conflicts.
-- ARGV: cursor, about how many, what an agent's key begins with.
-- Returns the next cursor, the time in ms, and the agents as listings have them.

local online, known, conflicts = KEYS[1], KEYS[2], KEYS[3]
local scan = redis.call('HSCAN', known, ARGV[1], 'COUNT', ARGV[2])

local agents = {}
for field = 1, #scan[2], 2 do
  local name, entry = scan[2][field], scan[2][field + 1]
  agents[#agents + 1] = listed(online, conflicts, ARGV[3] .. name, name, entry)
end
return { scan[1], now, agents }
