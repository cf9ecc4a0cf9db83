--[[
  Take away the positions of drivers who fell silent, unless they spoke again in the meantime, and announce it.

  KEYS[1] positions      hash, driver -> packed position
  KEYS[2] feed number    counter of published messages
  ARGV[1] feed channel
  ARGV[2] newest recordedAtMs that counts as silent
  ARGV[3 ..] drivers

  Output: number of positions taken away
]]
local gone = {}
for i = 3, #ARGV do
  local value = redis.call('HGET', KEYS[1], ARGV[i])
  if value and struct.unpack('<d', value, 14) <= tonumber(ARGV[2]) then
    redis.call('HDEL', KEYS[1], ARGV[i])
    gone[#gone + 1] = '\2' .. string.char(#ARGV[i]) .. ARGV[i]
  end
end
if #gone > 0 then
  local number = redis.call('INCR', KEYS[2])
  redis.call('SPUBLISH', ARGV[1], struct.pack('<d', number) .. table.concat(gone))
end
return #gone
