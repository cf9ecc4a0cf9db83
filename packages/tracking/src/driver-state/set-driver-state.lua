--[[
  Keep what a driver declared, or let go of a trip that ended, and show it on the driver's position at once.

  KEYS[1] driver states    hash, driver -> f64 version, u8 available
  KEYS[2] positions        hash, driver -> packed position (feed/packed-positions.ts)
  KEYS[3] feed number      counter of published messages
  ARGV[1] feed channel
  ARGV[2] driver
  ARGV[3] version of the declaration, '0' to keep the stored one
  ARGV[4] 1 available, 0 not
  ARGV[5] trip that ended, '' for none

  Output: 1 where something changed
]]
local OFF, AVAILABLE = '\0', '\1'
local driver = ARGV[2]
local stored = redis.call('HGET', KEYS[1], driver)
local version = tonumber(ARGV[3])
local changed = 0

if version > 0 and (not stored or struct.unpack('<d', stored) < version) then
  stored = struct.pack('<dB', version, tonumber(ARGV[4]))
  redis.call('HSET', KEYS[1], driver, stored)
  changed = 1
end

local value = redis.call('HGET', KEYS[2], driver)
if not value then return changed end
local tripLength = string.byte(value, 37)
local rest = string.sub(value, 2)
if tripLength > 0 then
  if string.sub(value, 38) ~= ARGV[5] then return changed end
  rest = string.sub(value, 2, 36) .. '\0'
end

local state = OFF
if stored and string.byte(stored, 9) == 1 then state = AVAILABLE end
local updated = state .. rest
if updated == value then return changed end
redis.call('HSET', KEYS[2], driver, updated)
local number = redis.call('INCR', KEYS[3])
redis.call('SPUBLISH', ARGV[1], struct.pack('<d', number) .. '\1' .. string.char(#driver) .. driver .. string.char(#updated) .. updated)
return 1
