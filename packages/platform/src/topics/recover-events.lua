--[[
  All events of a topic after a place that somebody has seen, or the answer that they cannot be had. Changes nothing: the place is the
  client's own word.

  A place ahead of the log is one that a server before this one gave (a failover to a replica that was behind): nothing follows it. The
  next event begins a new epoch, see publish-event.lua.

  KEYS[1] topic head    hash: epoch, offset, server
  KEYS[2] topic events  stream, id <offset>-0, field e (event)
  ARGV[1] epoch seen; '' for somebody who found no log: everything in it came since
  ARGV[2] offset seen

  Output: { 1 recovered / 0 not, epoch ('' where there is no log), offset, events in order ... }
]]
local epoch, offset = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'offset'))
if not epoch then return { ARGV[1] == '' and 1 or 0, '', 0 } end
offset = tonumber(offset) or 0
local seen = ARGV[1] == '' and 0 or tonumber(ARGV[2])
if (ARGV[1] ~= '' and ARGV[1] ~= epoch) or seen > offset then return { 0, epoch, offset } end

local reply = { 1, epoch, offset }
if seen == offset then return reply end
local expected = seen
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. seen .. '-0', '+')) do
  expected = expected + 1
  if entry[1] ~= string.format('%.0f-0', expected) then return { 0, epoch, offset } end
  reply[#reply + 1] = entry[2][2]
end
if expected ~= offset then return { 0, epoch, offset } end
return reply
