#!lua flags=allow-oom
--[[
  Take, renew or give back the lease of one worker on one partition. Also where Redis is full: without a lease nobody moves fixes out
  of it, and it would stay full.

  KEYS[1] lease, string
  ARGV[1] worker
  ARGV[2] lease in ms; 0 gives it back

  Output: 1 where the worker holds the partition now
]]
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) == 0 then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
