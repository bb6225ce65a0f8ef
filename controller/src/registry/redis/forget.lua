-- Forgets an agent that is offline. An entry that nobody can read goes too.
-- KEYS: online, known, conflicts, the agent's key.
-- ARGV: name.
-- Returns 0 (forgotten), 1 (it is online), 2 (it is silent, and nobody has called it offline) or 3 (it is not known).

local online, known, conflicts, key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local name = ARGV[1]

local entry = read('HGET', known, name)
if not entry then return 3 end
if alive(key) then return 1 end
local never_called_offline = string.find(entry, '^{"last_seen":%d+,"record":')
if read('ZSCORE', online, name) or never_called_offline then return 2 end

redis.call('HDEL', known, name)
read('ZREM', conflicts, name)
return 0
