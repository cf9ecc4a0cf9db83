--[[
  Keep which tokens of a user are revoked, if this is newer than what is in force, and tell every node by the access log.

  KEYS[1] revocations        hash, user -> JSON with an integer "version", and "expiresAtMs"
  KEYS[2] access log         stream, fields n (contiguous number) and e (entry)
  KEYS[3] access log number  counter
  ARGV[1] user
  ARGV[2] version
  ARGV[3] revocation, JSON
  ARGV[4] entry for the access log
  ARGV[5] how long to keep access log entries, ms

  Output: 1 where it was newer, else 0
]]
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored then
  local known = cjson.decode(stored)
  -- What has run out is as good as forgotten.
  if known.expiresAtMs >= nowMs and known.version >= tonumber(ARGV[2]) then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])

-- As in publish-change.lua: numbers begin at the clock, so that a log which lost everything never repeats one.
if redis.call('EXISTS', KEYS[3]) == 0 then redis.call('SET', KEYS[3], string.format('%.0f', nowMs)) end
local number = redis.call('INCR', KEYS[3])
redis.call('XADD', KEYS[2], 'MINID', '~', string.format('%.0f', nowMs - ARGV[5]), '*', 'n', number, 'e', ARGV[4])
return 1
