--[[
  A change is about to be written: take the entry away, make every permit void, and store nothing below the version it will have.

  KEYS[1] entry     hash, see read-entry.lua
  ARGV[1] version that the change will have
  ARGV[2] how long the change may take at most, ms; readers go to the truth meanwhile
  ARGV[3] how long an entry lives, ms

  Output: 1
]]
local key = KEYS[1]
local info = redis.pcall('INFO', 'replication')
local server = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
local s, m = unpack(redis.call('HMGET', key, 's', 'm'))
if s and s ~= server then
  redis.call('DEL', key)
  m = false
end

local lowest = math.max(tonumber(ARGV[1]), tonumber(m or 0))
local time = redis.call('TIME')
local untilMs = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2])
redis.call('HDEL', key, 'd', 'f')
redis.call('HSET', key, 's', server, 'm', lowest, 'u', string.format('%.0f', untilMs))
redis.call('PEXPIRE', key, ARGV[3])
return 1
