--[[
  Append an entry to an access log.

  KEYS[1] access log         stream, fields n (contiguous number) and e (entry)
  KEYS[2] access log number  counter
  ARGV[1] entry
  ARGV[2] how long to keep entries, ms

  Output: number of the entry
]]
-- As in publish-change.lua: numbers begin at the clock, so that a log which lost everything never repeats one.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('SET', KEYS[2], string.format('%.0f', nowMs)) end
local number = redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%.0f', nowMs - ARGV[2]), '*', 'n', number, 'e', ARGV[1])
return number
