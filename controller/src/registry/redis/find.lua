-- One agent.
-- KEYS: online, known, conflicts, the agent's key.
-- ARGV: name.
-- Returns the time in ms and the agent as listings have it; nothing if it is not known.

local online, known, conflicts, key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local entry = read('HGET', known, ARGV[1])
return entry and { now, listed(online, conflicts, key, ARGV[1], entry) }
