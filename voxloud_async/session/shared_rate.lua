-- The rate controller of `session/controller.py`, step for step, on a record that processes share.
--
-- KEYS[1]  the record
-- ARGV[1]  now in seconds, or "" for the server's own time
-- ARGV[2]  what the record starts from: rate, burst, learns (0 or 1), packed in JSON
-- ARGV[3]  what became of earlier requests, packed in JSON: a list of
--          [outcome, epoch, is_probe, round_trip, retry_after or -1, chance]
-- ARGV[4]  "1" to ask for a permit
-- ARGV[5]  "1" while callers wait
--
-- Answers {granted, wait, epoch, is_probe, attentive, rate, pause}: numbers as strings, for Redis cuts fractions off.
-- A permit that is granted with a wait is reserved: it may be used after that many seconds.

local FIRST_CUT, CUT, CEILING, REPEATED_CUT = 0.85, 0.95, 0.98, 0.7
local RECENT, SLOTS, AGREEMENT = 2.0, 8, 0.06
local K_LEAST, K_MOST, K_FACTOR = 10.0, 60.0, 1.5
local PROBE_GROWTH, PROBE_SECONDS, REPEATED = 0.2, 10.0, 4
local LEAST_RATE, MOST_RATE = 0.05, 10000.0
local PAUSE_LEAST, PAUSE_CAP = 0.05, 5.0
local DOWN_BASE, DOWN_CAP, RETRY_AFTER_CAP = 0.5, 4.0, 300.0
local LOST_IN_A_ROW, PROBE_LEASE, KEPT = 3, 10.0, 3600

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end

local stored = redis.call('GET', KEYS[1])
local s
if stored then
  s = cmsgpack.unpack(stored)
else
  local start = cjson.decode(ARGV[2])
  s = {
    rate = start.rate, burst = start.burst, learns = start.learns, tokens = start.burst, open = 0.0, trip = 0.0,
    lost = 0, epoch = 0, until_ = 0.0, single = 0, probing = 0.0, refusals = 0, outages = 0, low = start.rate,
    flat = K_LEAST, age = 0.0, early = 0, recent = {},
  }
end

local function slot() return math.floor(s.open / RECENT * SLOTS) end

local function count_in(n)
  local key = tostring(slot())
  s.recent[key] = (s.recent[key] or 0) + n
end

local function granted_of_late()
  local sum, kept = 0, {}
  for key, n in pairs(s.recent) do
    if tonumber(key) > slot() - SLOTS then
      kept[key] = n
      sum = sum + n
    end
  end
  s.recent = kept
  return sum
end

local function grow(elapsed)
  s.age = s.age + elapsed
  if not s.high then return s.low * 2.0 ^ math.min(s.age, 60.0) end
  if s.age <= s.flat then
    return s.high - (s.high - s.low) * ((s.flat - s.age) / s.flat) ^ 3
  end
  return s.high * (1.0 + PROBE_GROWTH * ((s.age - s.flat) / PROBE_SECONDS) ^ 3)
end

local function advance(waiting)
  local elapsed = now - (s.filled or now)
  if elapsed < 0.0 then return end
  s.filled = now
  s.open = s.open + elapsed
  s.tokens = math.min(s.burst, s.tokens + elapsed * s.rate)
  if s.learns == 1 and waiting then
    s.rate = math.min(MOST_RATE, grow(math.min(elapsed, 1.0 + 2.0 / s.rate)))
  end
end

local function cut()
  if s.learns == 0 then return end
  local seen = math.min(RECENT, s.open)
  local accepted = seen > 0.0 and granted_of_late() / seen or s.rate
  local first = not s.high or s.early == 1
  s.early = seen < RECENT and 1 or 0
  local limit = (first and accepted > 0.0) and math.min(s.rate, accepted) or s.rate
  local agrees = s.found and math.abs(limit - s.found) <= AGREEMENT * s.found
  s.flat = agrees and math.min(K_MOST, s.flat * K_FACTOR) or K_LEAST
  s.low = (s.high and CUT or FIRST_CUT) * limit
  s.found, s.high, s.age = limit, CEILING * limit, 0.0
  s.rate = math.max(LEAST_RATE, s.low)
end

local function refused()
  s.refusals = s.refusals + 1
  if s.refusals == 1 then
    cut()
  elseif s.learns == 1 and s.refusals % REPEATED == 0 then
    s.rate = math.max(LEAST_RATE, s.rate * REPEATED_CUT)
    s.low, s.high, s.age = s.rate, s.rate / CUT, 0.0
  end
  s.single = s.refusals > 1 and 1 or 0
  local first = math.max(1.0 / s.rate, 1.5 * s.trip, PAUSE_LEAST)
  return math.min(PAUSE_CAP, first * 2.0 ^ (s.refusals - 1))
end

local function down(chance)
  local pause = math.min(DOWN_CAP, DOWN_BASE * 2.0 ^ s.outages)
  s.outages, s.single = s.outages + 1, 1
  return pause * (0.5 + 0.5 * chance)
end

local function learn(outcome, epoch, probe, trip, retry_after, chance)
  if probe == 1 then s.probing = 0.0 end
  if outcome == 'unused' then
    s.tokens = math.min(s.burst, s.tokens + 1.0)
    count_in(-1)
    return
  elseif outcome == 'forgotten' then
    return
  elseif outcome == 'answered' then
    s.lost = 0
    s.trip = s.trip + 0.2 * (trip - s.trip)
    if epoch == s.epoch then
      s.single, s.refusals, s.outages = 0, 0, 0
    end
    return
  end
  s.lost = outcome == 'lost' and s.lost + 1 or 0
  if outcome == 'lost' and s.lost < LOST_IN_A_ROW then return end
  if outcome == 'refused' then count_in(-1) end
  if retry_after >= 0 then s.until_ = math.max(s.until_, now + math.min(retry_after, RETRY_AFTER_CAP)) end
  if epoch == s.epoch then
    s.epoch = s.epoch + 1
    s.until_ = math.max(s.until_, now + (outcome == 'refused' and refused() or down(chance)))
    s.tokens, s.filled = math.min(s.tokens, 1.0), math.max(now, s.until_)
  end
end

-- Where the server's clock was set back, the record moves with it.
local back = math.max(0.0, (s.seen or now) - now)
s.seen, s.until_, s.probing = now, s.until_ - back, s.probing - back
if s.filled then s.filled = s.filled - back end

for _, each in ipairs(cjson.decode(ARGV[3])) do learn(unpack(each)) end

local granted, wait, probe = 0, 0.0, 0
if ARGV[4] == '1' then
  advance(ARGV[5] == '1')
  if s.probing > now then
    wait = math.min(s.probing - now, math.max(2.0 * s.trip, PAUSE_LEAST))
  elseif s.until_ > now then
    wait = s.until_ - now
  else
    wait = math.max(0.0, (1.0 - s.tokens) / s.rate)
    granted, probe = 1, s.single
    s.tokens = s.tokens - 1.0
    count_in(1)
    if probe == 1 then s.probing = now + wait + PROBE_LEASE end
  end
end

redis.call('SET', KEYS[1], cmsgpack.pack(s), 'EX', KEPT)
local attentive = (s.refusals > 0 or s.outages > 0 or s.lost > 0) and 1 or 0
return {
  tostring(granted), string.format('%.9f', wait), tostring(s.epoch), tostring(probe), tostring(attentive),
  string.format('%.9f', s.rate), string.format('%.9f', math.max(0.0, s.until_ - now)),
}
