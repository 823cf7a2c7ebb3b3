-- The rate controller of `session/controller.py` and its curve, step for step, on a record that processes share.
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

local FIRST_CUT, EARLY_CUT, CUT, CEILING, SPREAD, OVERRUN = 0.85, 0.9, 0.95, 0.98, 0.98, 1.03
local RECENT, SLOTS, AGREEMENT = 2.0, 8, 0.06
local FLAT_LEAST, FLAT_MOST, FLAT_FACTOR = 10.0, 60.0, 1.5
local PROBE_GROWTH = 0.1
local LEAST_RATE, MOST_RATE = 0.05, 10000.0
local PAUSE_LEAST, PAUSE_CAP, PAUSE_TRIPS = 0.05, 5.0, 0.75
local DOWN_BASE, DOWN_CAP, RETRY_AFTER_CAP, ROUNDED_UP = 0.5, 4.0, 300.0, 1.0
local OUTAGE_AFTER = {lost = 3, failed = 5}
local PROBE_LEASE, KEPT = 10.0, 3600

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
    last = 'answered', in_a_row = 0, epoch = 0, until_ = 0.0, single = 0, probing = 0.0, refusals = 0, outages = 0,
    hit = 0.0, low = start.rate, flat = FLAT_LEAST, window = FLAT_LEAST, age = 0.0, early = 0, recent = {},
    since_cut = 0,
  }
end

local function slot() return math.floor(s.open / RECENT * SLOTS) end

local function forget_old()
  local kept = {}
  for key, n in pairs(s.recent) do
    if tonumber(key) > slot() - SLOTS then kept[key] = n end
  end
  s.recent = kept
end

local function count_in(n, since_cut)
  local key = tostring(slot())
  if not s.recent[key] then forget_old() end -- else the record of a limit that is never hit would grow for ever
  s.recent[key] = (s.recent[key] or 0) + n
  if since_cut then s.since_cut = s.since_cut + n end
end

local function granted_of_late()
  forget_old()
  local sum = 0
  for _, n in pairs(s.recent) do sum = sum + n end
  return sum
end

local function grow(elapsed)
  s.age = s.age + elapsed
  if not s.high then return math.min(MOST_RATE, s.low * 2.0 ^ math.min(s.age, 60.0)) end
  if s.age <= s.flat then
    return s.high - (s.high - s.low) * ((s.flat - s.age) / s.flat) ^ 3
  end
  return math.min(MOST_RATE, s.high * (1.0 + PROBE_GROWTH * ((s.age - s.flat) / s.window) ^ 3))
end

local function advance(waiting)
  local elapsed = now - (s.filled or now)
  if elapsed < 0.0 then return end
  s.filled = now
  s.open = s.open + elapsed
  s.tokens = math.min(s.burst, s.tokens + elapsed * s.rate)
  if s.learns == 1 and waiting then
    s.rate = grow(math.min(elapsed, 1.0 + 2.0 / s.rate))
  end
end

local function settle(limit, low, high)
  local agrees = s.found_before and math.abs(limit - s.found_before) <= AGREEMENT * s.found_before
  s.flat = math.max(s.window, agrees and math.min(FLAT_MOST, s.flat_before * FLAT_FACTOR) or 0.0)
  s.found, s.low, s.high = limit, math.max(LEAST_RATE, low), math.max(LEAST_RATE, high)
  s.age, s.rate = 0.0, s.low
end

local function cut()
  local guessed = not s.high or s.early == 1
  local share = not s.high and FIRST_CUT or s.early == 1 and EARLY_CUT or CUT
  local seen, recent = math.min(RECENT, s.open), granted_of_late()
  s.early = seen < RECENT and 1 or 0
  s.limit = (guessed and 0 < recent and recent < s.rate * seen) and recent / seen or s.rate
  s.found_before, s.flat_before = s.found, s.flat
  s.passed = {{s.since_cut, s.age}, guessed and {recent, seen} or nil}
  s.since_cut = 0
  settle(s.limit, share * s.limit, CEILING * s.limit)
end

local function held(seconds)
  seconds = math.min(FLAT_MOST, seconds)
  s.window = math.max(s.window, seconds)
  local most
  for _, each in ipairs(s.passed) do
    local limit = each[1] / (each[2] + seconds)
    most = most and math.max(most, limit) or limit
  end
  local limit = math.min(s.limit, most)
  if s.window > FLAT_LEAST then
    settle(limit, OVERRUN * limit, OVERRUN * limit)
  else
    settle(limit, math.min(s.low, SPREAD * limit), limit)
  end
end

local function refused(wait)
  s.refusals = s.refusals + 1
  s.single = s.refusals > 1 and 1 or 0
  if s.refusals == 1 then s.hit = now end
  if s.learns == 1 then
    if s.refusals == 1 then cut() end
    local seconds = math.max(now - s.hit, wait - ROUNDED_UP)
    if seconds > 0.0 then held(seconds) end
  end
  local first = math.max(1.0 / s.rate, PAUSE_TRIPS * s.trip, PAUSE_LEAST)
  return math.min(PAUSE_CAP, first * 2.0 ^ (s.refusals - 1))
end

local function down(chance)
  local pause = math.min(DOWN_CAP, DOWN_BASE * 2.0 ^ s.outages)
  s.outages, s.single, s.hit = s.outages + 1, 1, now
  return pause * (0.5 + 0.5 * chance)
end

local function answered(epoch, trip)
  s.trip = s.trip + 0.2 * (trip - s.trip)
  if epoch == s.epoch then
    s.single, s.refusals, s.outages = 0, 0, 0
  end
end

local function learn(outcome, epoch, probe, trip, retry_after, chance)
  if probe == 1 then s.probing = 0.0 end
  if outcome == 'unused' then
    s.tokens = math.min(s.burst, s.tokens + 1.0)
    count_in(-1, epoch == s.epoch)
    return
  elseif outcome == 'forgotten' then
    return
  end
  s.in_a_row = outcome == s.last and s.in_a_row + 1 or 1
  s.last = outcome
  local outage = s.in_a_row >= (OUTAGE_AFTER[outcome] or 1)
  if outcome == 'answered' or outcome == 'failed' and not outage then answered(epoch, trip) end
  if outcome == 'answered' or not outage then return end
  if outcome == 'refused' then count_in(-1, epoch == s.epoch) end
  local wait = math.min(retry_after, RETRY_AFTER_CAP)
  if wait >= 0 then s.until_ = math.max(s.until_, now + wait) end
  if epoch == s.epoch then
    s.epoch = s.epoch + 1
    s.until_ = math.max(s.until_, now + (outcome == 'refused' and refused(wait) or down(chance)))
    s.tokens, s.filled = math.min(s.tokens, 1.0), math.max(now, s.until_)
  end
end

-- Where the server's clock was set back, the record moves with it.
local back = math.max(0.0, (s.seen or now) - now)
s.seen, s.until_, s.probing, s.hit = now, s.until_ - back, s.probing - back, s.hit - back
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
    count_in(1, true)
    if probe == 1 then s.probing = now + wait + PROBE_LEASE end
  end
end

redis.call('SET', KEYS[1], cmsgpack.pack(s), 'EX', KEPT)
local attentive = (s.refusals > 0 or s.outages > 0 or OUTAGE_AFTER[s.last]) and 1 or 0
return {
  tostring(granted), string.format('%.9f', wait), tostring(s.epoch), tostring(probe), tostring(attentive),
  string.format('%.9f', s.rate), string.format('%.9f', math.max(0.0, s.until_ - now)),
}
