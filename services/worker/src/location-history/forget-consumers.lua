--[[
  Take consumers away from a group that belong to workers which are gone. One with entries pending is kept: they would be lost with it.

  KEYS[1] fixes  stream
  ARGV[1] group
  ARGV[2] consumer that is kept, whatever it does
  ARGV[3] for how long the others have to be silent, ms

  Output: how many were taken away
]]
local forgotten = 0
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local of = {}
  for at = 1, #fields, 2 do of[fields[at]] = fields[at + 1] end
  if of.name ~= ARGV[2] and of.pending == 0 and of.idle > tonumber(ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], of.name)
    forgotten = forgotten + 1
  end
end
return forgotten
