--[[
  Give a driver's phone a run, or confirm the one it has.

  KEYS[1] runs          hash, driver -> newest run allotted
  KEYS[2] positions     hash, driver -> packed position
  KEYS[3] durable       hash, driver:run -> f64 seq, f64 updatedAtMs
  ARGV[1] driver
  ARGV[2] run that the phone has, '0' for a new one
  ARGV[3] how far a run may lie in the future, ms

  Output: { run ('0' where it cannot be one of ours), durable seq or -1 where nothing is known, position or false }
]]
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local newest = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
local run = tonumber(ARGV[2])

if run == 0 then
  run = math.max(nowMs, newest + 1)
elseif run > newest and run > nowMs + tonumber(ARGV[3]) then
  return { '0', '-1', false }
end
-- A run above the newest was allotted by a Redis that forgot: numbering goes on above it.
if run > newest then redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', run)) end

local durable = redis.call('HGET', KEYS[3], ARGV[1] .. ':' .. string.format('%.0f', run))
local seq = -1
if durable then seq = struct.unpack('<d', durable) end
return { string.format('%.0f', run), string.format('%.0f', seq), redis.call('HGET', KEYS[2], ARGV[1]) }
