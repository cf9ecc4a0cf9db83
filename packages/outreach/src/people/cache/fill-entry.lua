--[[
  Store what was read from the truth, if the permit that was given before that read still stands. An older version never wins.

  KEYS[1] entry     hash, see read-entry.lua
  ARGV[1] permit
  ARGV[2] version
  ARGV[3] data
  ARGV[4] how long an entry lives, ms

  Output: 1 where it was stored
]]
local key, version = KEYS[1], tonumber(ARGV[2])
local info = redis.pcall('INFO', 'replication')
local server = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
local s, v, m, f = unpack(redis.call('HMGET', key, 's', 'v', 'm', 'f'))
if s ~= server or f ~= ARGV[1] then return 0 end
if version < tonumber(v or 0) or version < tonumber(m or 0) then return 0 end

redis.call('HSET', key, 'v', version, 'd', ARGV[3])
redis.call('HDEL', key, 'm', 'u', 'f')
redis.call('PEXPIRE', key, ARGV[4])
return 1
