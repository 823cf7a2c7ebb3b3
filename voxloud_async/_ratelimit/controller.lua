-- `controller.py`, `throttle.py` and `rate_curve.py`, step for step, on a record that processes share. A compare-and-set
-- of a record computed in Python would cost two round trips a request: between two steps of a process the others have
-- always changed it.
--
-- KEYS[1]  the record
-- ARGV[1]  now in seconds, or "" for the server's own time
-- ARGV[2]  what the record starts from: rate, burst, learns (0 or 1), packed in JSON
-- ARGV[3]  the outcomes of earlier requests, packed in JSON: a list of
--          [outcome, operation, epoch, is_probe, own_epoch or -1, own_is_probe, round_trip, retry_after or -1, chance]
-- ARGV[4]  the operation to ask a permit for, or "-" for none
-- ARGV[5]  "1" while callers wait
--
-- Returns {granted, wait, epoch, is_probe, own_epoch or -1, own_is_probe, attentive, rate, pause, operations}: numbers as
-- strings, for Redis cuts fractions off, and JSON: for each suspected operation or one with a throttle of its own
-- [is_own, seconds for which it is blocked].
-- A permit that is granted with a wait is reserved: it may be used after that many seconds.

local FIRST_CUT, EARLY_CUT, CUT, CEILING, SPREAD, OVERRUN = 0.85, 0.9, 0.95, 0.98, 0.98, 1.03
local RECENT, SLOTS, AGREEMENT, SLOW = 2.0, 8, 0.06, 0.5
local FLAT_LEAST, FLAT_MOST, FLAT_FACTOR, FLAT_REQUESTS = 10.0, 60.0, 1.5, 10.0
local PROBE_GROWTH = 0.1
local LEAST_RATE, MOST_RATE = 1 / 120, 10000.0
local PAUSE_LEAST, PAUSE_CAP, PAUSE_TRIPS = 0.05, 5.0, 0.75
local DOWN_BASE, DOWN_CAP, RETRY_AFTER_CAP, ROUNDED_UP = 0.5, 4.0, 300.0, 1.0
local OUTAGE_AFTER = {lost = 3, failed = 5}
local PROBE_LEASE, OWN_KEPT, KEPT = 10.0, 300.0, 3600

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end

local function throttle(rate, burst, learns, honours)
  return {
    rate = rate, burst = burst, learns = learns, honours = honours, tokens = burst, open = 0.0, trip = 0.0,
    last = 'answered', in_a_row = 0, epoch = 0, last_fault = 0.0, until_ = 0.0, single = 0, probe_until = 0.0,
    refusals = 0, outages = 0, hit = 0.0, recent = {}, since_cut = 0,
    curve = {low = rate, limit = rate, passed = {}, flat = FLAT_LEAST, window = FLAT_LEAST, age = 0.0, early = 0},
  }
end

-- The curve

local function slot(t) return math.floor(t.open / RECENT * SLOTS) end

local function forget_old(t)
  local kept = {}
  for key, n in pairs(t.recent) do
    if tonumber(key) > slot(t) - SLOTS then kept[key] = n end
  end
  t.recent = kept
end

local function count_in(t, n, since_cut)
  local key = tostring(slot(t))
  if not t.recent[key] then forget_old(t) end -- else the record of a limit that is never hit would grow for ever
  t.recent[key] = (t.recent[key] or 0) + n
  if since_cut then t.since_cut = t.since_cut + n end
end

local function recently_granted(t)
  forget_old(t)
  local sum = 0
  for _, n in pairs(t.recent) do sum = sum + n end
  return sum
end

local function grow(c, elapsed)
  c.age = c.age + elapsed
  if not c.high then return math.min(MOST_RATE, c.low * 2.0 ^ math.min(c.age, 60.0)) end
  if c.age <= c.flat then return c.high - (c.high - c.low) * ((c.flat - c.age) / c.flat) ^ 3 end
  return math.min(MOST_RATE, c.high * (1.0 + PROBE_GROWTH * ((c.age - c.flat) / c.window) ^ 3))
end

local function settle(t, limit, low, high)
  local c = t.curve
  local agrees = c.found_before and math.abs(limit - c.found_before) <= AGREEMENT * c.found_before
  local longer = agrees and math.min(FLAT_MOST, c.flat_before * FLAT_FACTOR) or 0.0
  c.flat = math.max(c.window, longer, FLAT_REQUESTS / math.max(LEAST_RATE, limit))
  c.found, c.low, c.high = limit, math.max(LEAST_RATE, low), math.max(LEAST_RATE, high)
  c.age, t.rate = 0.0, c.low
end

local function cut(t)
  local c = t.curve
  local guessed = not c.high or c.early == 1
  local share = not c.high and FIRST_CUT or c.early == 1 and EARLY_CUT or CUT
  local seen, recent = math.min(RECENT, t.open), recently_granted(t)
  c.early = seen < RECENT and 1 or 0
  c.limit = (guessed and 0 < recent and recent < t.rate * seen) and recent / seen or t.rate
  c.found_before, c.flat_before = c.found, c.flat
  c.passed = {{t.since_cut, c.age}, guessed and {recent, seen} or nil}
  t.since_cut = 0
  settle(t, c.limit, share * c.limit, CEILING * c.limit)
end

local function held(t, seconds)
  if t.learns ~= 1 or seconds <= 0.0 then return end
  local c, most = t.curve, nil
  local capped = math.min(FLAT_MOST, seconds)
  for _, each in ipairs(c.passed) do
    if each[1] > 0 then most = math.max(most or 0.0, each[1] / (each[2] + capped)) end
  end
  if not most then
    t.rate = c.low
    return
  end
  c.window = math.max(c.window, capped)
  local limit = math.min(c.limit, most)
  if c.window <= FLAT_LEAST then
    settle(t, limit, math.min(c.low, SPREAD * limit), limit)
  else
    local share = limit < SLOW and SPREAD or OVERRUN
    settle(t, limit, share * limit, share * limit)
  end
end

-- The throttle

local function advance(t, waiting)
  local elapsed = now - (t.filled or now)
  if elapsed < 0.0 then return end
  t.filled = now
  t.open = t.open + elapsed
  t.tokens = math.min(t.burst, t.tokens + elapsed * t.rate)
  if t.learns == 1 and waiting then t.rate = grow(t.curve, math.min(elapsed, 1.0 + 2.0 / t.rate)) end
end

local function paced(t, waiting)
  advance(t, waiting)
  return t.tokens >= 1.0 and 0.0 or (1.0 - t.tokens) / t.rate
end

local function grant(t, operation, wait)
  t.tokens = t.tokens - 1.0
  count_in(t, 1, true)
  if t.single == 1 then t.probe, t.probe_until = operation, now + wait + PROBE_LEASE end
  return t.epoch, t.single
end

local function forget(t, operation, probe)
  if probe == 1 and t.probe == operation then t.probe, t.probe_until = nil, 0.0 end
end

local function give_back(t, operation, epoch, probe)
  t.tokens = math.min(t.burst, t.tokens + 1.0)
  count_in(t, -1, epoch == t.epoch)
  forget(t, operation, probe)
end

local function open(t, granted)
  local c = t.curve
  if t.refusals > 0 and c.high and c.low < SLOW then
    held(t, (t.last_fault + granted) / 2.0 - t.hit)
  end
  t.single, t.probe, t.probe_until, t.refusals, t.outages = 0, nil, 0.0, 0, 0
end

local function answered(t, epoch, trip)
  t.trip = t.trip + 0.2 * (trip - t.trip)
  if epoch == t.epoch then open(t, now - trip) end
end

local function refused(t, wait)
  t.refusals = t.refusals + 1
  t.single = t.refusals > 1 and 1 or 0
  if t.refusals == 1 then
    t.hit = now
    if t.learns == 1 then cut(t) end
  end
  held(t, math.max(now - t.hit, math.min(wait, t.honours) - ROUNDED_UP))
  local first = math.max(1.0 / t.rate, PAUSE_TRIPS * t.trip, PAUSE_LEAST)
  return math.min(PAUSE_CAP, first * 2.0 ^ math.min(t.refusals - 1, 32))
end

local function down(t, chance)
  local pause = math.min(DOWN_CAP, DOWN_BASE * 2.0 ^ math.min(t.outages, 32))
  t.outages, t.single, t.hit = t.outages + 1, 1, now
  return pause * (0.5 + 0.5 * chance)
end

local function pause(t, outcome, epoch, wait, chance)
  t.last_fault = now
  if outcome == 'refused' then count_in(t, -1, epoch == t.epoch) end
  t.until_ = math.max(t.until_, now + math.min(wait, t.honours))
  if epoch == t.epoch then
    t.epoch = t.epoch + 1
    t.until_ = math.max(t.until_, now + (outcome == 'refused' and refused(t, wait) or down(t, chance)))
    t.tokens, t.filled = math.min(t.tokens, 1.0), math.max(now, t.until_)
  end
  if wait > t.honours then t.single = 1 end
end

local function feedback(t, outcome, operation, epoch, probe, trip, wait, chance)
  forget(t, operation, probe)
  t.in_a_row = outcome == t.last and t.in_a_row + 1 or 1
  t.last = outcome
  if outcome == 'answered' then
    answered(t, epoch, trip)
  elseif t.in_a_row >= (OUTAGE_AFTER[outcome] or 1) then
    pause(t, outcome, epoch, wait, chance)
    return true
  elseif outcome == 'failed' then
    answered(t, epoch, trip)
  end
  return false
end

-- The controller

local stored = redis.call('GET', KEYS[1])
local s
if stored then
  s = cmsgpack.unpack(stored)
else
  local start = cjson.decode(ARGV[2])
  s = {key = throttle(start.rate, start.burst, start.learns, PAUSE_CAP), own = {}, suspects = {}, failing = {}}
end

local function copied(c)
  local copy = {}
  for name, value in pairs(c) do copy[name] = value end
  return copy
end

local function take_back(operation)
  if s.before and s.before.operation == operation then
    s.key.rate, s.key.curve, s.before = s.before.rate, s.before.curve, nil
  end
end

local function made_own(suspicion)
  local own = throttle(s.key.rate, s.key.burst, 1, RETRY_AFTER_CAP)
  own.until_, own.single, own.refusals, own.outages = suspicion.until_, 1, 1, 1
  own.hit, own.last_fault, own.tokens = suspicion.since, suspicion.since, 1.0
  own.last, own.in_a_row = suspicion.outcome, OUTAGE_AFTER[suspicion.outcome] or 1
  return own
end

local function clear(operation, granted, own_epoch, own_probe, trip)
  local suspicion, own = s.suspects[operation], s.own[operation]
  if suspicion and granted > suspicion.since then
    s.suspects[operation] = nil
    if suspicion.outcome == 'refused' and suspicion.until_ - suspicion.since > PAUSE_CAP then
      held(s.key, suspicion.until_ - s.key.hit - ROUNDED_UP)
    end
  end
  if own and own_epoch >= 0 then
    feedback(own, 'answered', operation, own_epoch, own_probe, trip, 0.0, 0.0)
    if own.epoch == 0 then s.own[operation], s.before = nil, nil end
  end
end

local function name_the_refused(operation, granted)
  local names = {}
  for name in pairs(s.suspects) do names[#names + 1] = name end
  for _, name in ipairs(names) do
    local suspicion = s.suspects[name]
    if name ~= operation and granted > suspicion.since then
      s.suspects[name] = nil
      s.own[name] = made_own(suspicion)
      if now < suspicion.until_ then
        s.own[name].epoch = 1
        take_back(name)
      end
    end
  end
end

local function refuse_all(outcome, operation, epoch, probe, trip, wait, chance)
  if outcome == 'lost' or outcome == 'failed' then s.failing[operation] = 1 else s.failing = {} end
  if outcome == 'refused' and epoch == s.key.epoch then
    if s.key.refusals == 0 then
      s.before = {operation = operation, rate = s.key.rate, curve = copied(s.key.curve)}
    elseif s.before and s.before.operation ~= operation then
      s.before = nil
    end
  end
  if not feedback(s.key, outcome, operation, epoch, probe, trip, wait, chance) then return end
  local refused_ones = copied(s.failing)
  refused_ones[operation] = 1
  for name in pairs(refused_ones) do
    local known = s.suspects[name]
    local latest = math.max(now + wait, known and known.until_ or 0.0)
    s.suspects[name] = {since = now, until_ = latest, outcome = outcome}
  end
end

local function learn(outcome, operation, epoch, probe, own_epoch, own_probe, trip, retry_after, chance)
  local own = s.own[operation]
  if outcome == 'unused' or outcome == 'forgotten' then
    if outcome == 'unused' then give_back(s.key, operation, epoch, probe) else forget(s.key, operation, probe) end
    if own and own_epoch >= 0 then
      if outcome == 'unused' then give_back(own, operation, own_epoch, own_probe)
      else forget(own, operation, own_probe) end
    end
    return
  end
  local granted, wait = now - trip, math.max(0.0, math.min(retry_after, RETRY_AFTER_CAP))
  if outcome == 'answered' then
    feedback(s.key, outcome, operation, epoch, probe, trip, wait, chance)
    s.failing = {}
    clear(operation, granted, own_epoch, own_probe, trip)
    name_the_refused(operation, granted)
  elseif own then
    forget(s.key, operation, probe)
    if feedback(own, outcome, operation, own_epoch, own_probe, trip, wait, chance) and own_epoch >= 0 then
      take_back(operation)
    end
  else
    refuse_all(outcome, operation, epoch, probe, trip, wait, chance)
  end
end

local function blocked(operation)
  local suspicion, own, t = s.suspects[operation], s.own[operation], s.key
  if t.probe_until > now and (suspicion or not s.suspects[t.probe]) then
    return math.min(t.probe_until - now, math.max(2.0 * t.trip, PAUSE_LEAST))
  end
  local opens = math.max(t.until_, suspicion and suspicion.until_ or 0.0, own and own.until_ or 0.0) - now
  if own and own.probe_until > now then
    return math.max(opens, math.min(own.probe_until - now, math.max(2.0 * own.trip, PAUSE_LEAST)))
  end
  return math.max(0.0, opens)
end

-- Where the server's clock was set back, the record moves with it.
local back = math.max(0.0, (s.seen or now) - now)
s.seen = now
if back > 0.0 then
  local function moved(t)
    for _, name in ipairs({'until_', 'probe_until', 'hit', 'last_fault', 'filled', 'since'}) do
      if t[name] then t[name] = t[name] - back end
    end
  end
  moved(s.key)
  for _, t in pairs(s.own) do moved(t) end
  for _, t in pairs(s.suspects) do moved(t) end
end

for _, each in ipairs(cjson.decode(ARGV[3])) do learn(unpack(each)) end

local granted, wait, epoch, probe, own_epoch, own_probe = 0, 0.0, s.key.epoch, 0, -1, 0
local operation = ARGV[4]
local own = s.own[operation]
if operation ~= '-' then
  wait = blocked(operation)
  if wait <= 0.0 then
    local waiting = ARGV[5] == '1'
    local own_wait = own and paced(own, waiting) or 0.0
    wait = paced(s.key, waiting)
    if own_wait > 0.0 then -- not reserved so long: others may go meanwhile
      wait = math.max(wait, own_wait)
    else
      granted = 1
      epoch, probe = grant(s.key, operation, wait)
      if own and now - own.last_fault > OWN_KEPT then
        s.own[operation] = nil
      elseif own then
        own_epoch, own_probe = grant(own, operation, wait)
      end
    end
  end
end

local function troubled(t) return t.refusals > 0 or t.outages > 0 or OUTAGE_AFTER[t.last] ~= nil end

local attentive = troubled(s.key) or next(s.suspects) or next(s.failing) or own and (own.epoch == 0 or troubled(own))
local operations = {}
for name in pairs(s.suspects) do operations[name] = {0, blocked(name)} end
for name in pairs(s.own) do operations[name] = {1, blocked(name)} end

redis.call('SET', KEYS[1], cmsgpack.pack(s), 'EX', KEPT)
return {
  tostring(granted), string.format('%.9f', wait), tostring(epoch), tostring(probe), tostring(own_epoch),
  tostring(own_probe), attentive and '1' or '0', string.format('%.9f', s.key.rate),
  string.format('%.9f', math.max(0.0, s.key.until_ - now)), next(operations) and cjson.encode(operations) or '',
}
