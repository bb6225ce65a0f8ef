-- Sets the silent aside for the one replica that asks them: nobody else finds them silent for a while.
-- KEYS: online; then for each agent its key.
-- ARGV: for how long in ms; then for each agent its name.
-- Returns the positions, from 0, of those that are the caller's to ask.

local online = KEYS[1]
local until_ms = digits(now + ARGV[1])

local suspects = {}
for agent = 1, #ARGV - 1 do
  local name = ARGV[1 + agent]
  local due = read('ZSCORE', online, name)
  if due and tonumber(due) <= now and not alive(KEYS[1 + agent]) then
    write('ZADD', online, until_ms, name)
    suspects[#suspects + 1] = agent - 1
  end
end
return suspects
