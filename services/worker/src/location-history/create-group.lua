#!lua flags=allow-oom
--[[
  Create the consumer group of a stream, and the stream where there is none. Also where Redis is full, as hold-lease.lua.

  KEYS[1] fixes  stream
  ARGV[1] group

  Output: OK, or the error BUSYGROUP where there is one
]]
return redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
