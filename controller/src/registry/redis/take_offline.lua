-- Calls agents offline: those whose key is absent and that were still in the index. So of all replicas one does it,
-- and a beat that came in between wins.
-- KEYS: online, known, events; then for each agent its key.
-- ARGV: events kept; then for each agent its name.
-- Returns the positions, from 0, of those that went offline by this.

local online, known, events = KEYS[1], KEYS[2], KEYS[3]

local taken = {}
for agent = 1, #ARGV - 1 do
  local name = ARGV[1 + agent]
  if not alive(KEYS[3 + agent]) and read('ZREM', online, name) == 1 then
    offline(known, events, ARGV[1], name)
    taken[#taken + 1] = agent - 1
  end
end
return taken
