--[[
  Read a cached entry, or get a permit to fill it.

  KEYS[1] entry     hash: s server, v version, d data, m lowest version that may be stored, u until when (ms), f permit
  ARGV[1] permit    to give where there is no entry
  ARGV[2] how long an entry lives, ms
  ARGV[3] how long a permit without an entry lives, ms
  ARGV[4] 1 to take the entry and every older permit away first

  Output: { 1, data } or { 0, permit }
]]
local key, permit, renews = KEYS[1], ARGV[1], ARGV[4] == '1'
-- A server that became primary, or was started again, may have lost a change that was acknowledged. Its replication history has another
-- id then, and whatever was written before is not believed.
local info = redis.pcall('INFO', 'replication')
local server = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
local s, d, m, u, f = unpack(redis.call('HMGET', key, 's', 'd', 'm', 'u', 'f'))
if s and s ~= server then
  redis.call('DEL', key)
  s, d, m, u, f = false, false, false, false, false
end

if renews then
  redis.call('HDEL', key, 'd')
  d, f = false, false
elseif d and not m then
  return { 1, d }
end

-- A change that was begun and never ended: whoever reads from now on finds what became of it, earlier readers may not.
if m then
  local time = redis.call('TIME')
  if time[1] * 1000 + math.floor(time[2] / 1000) >= tonumber(u) then
    redis.call('HDEL', key, 'm', 'u', 'd')
    f = false
  end
end

if not f then
  f = permit
  redis.call('HSET', key, 's', server, 'f', f)
  redis.call('PEXPIRE', key, s and ARGV[2] or ARGV[3])
end
return { 0, f }
