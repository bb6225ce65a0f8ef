-- Agents have answered that are silent: online again by their last record, if the process that answered made it.
-- KEYS: online, known; then for each agent its key.
-- ARGV: time to live in ms; then for each agent its name and the instance that answered.
-- Returns the positions, from 0, of those that are online by this.

local online, known = KEYS[1], KEYS[2]
local ttl = ARGV[1]

local vouched = {}
for agent = 1, (#ARGV - 1) / 2 do
  local key, name, instance = KEYS[2 + agent], ARGV[2 * agent], ARGV[2 * agent + 1]
  local entry = not alive(key) and read('ZSCORE', online, name) and read('HGET', known, name)
  local record = entry and string.match(entry, '"record":({.*})}$')
  if record and instance_of(record) == instance then
    redis.call('SET', key, record, 'PX', ttl)
    write('ZADD', online, digits(now + ttl), name)
    vouched[#vouched + 1] = agent - 1
  end
end
return vouched
