// How many commands changed something, by day (UTC) and kind. What imcd does by itself (an invitation that could not be
// delivered) is no command, and neither is what `imcd import` brings in.
// State: {"days": {"2026-11-23": {"total": 3, "RoomCreated": 1, "MemberJoined": 2}}}

fromCategory('room').when({
  $init: () => ({ days: {} }),
  $any: (state, event) => {
    // There is no time on the event itself: imcd writes it into the metadata.
    const { time, source } = event.metadata || {};
    if (typeof time !== 'string' || source === 'imcd' || source === 'import') return;
    const day = time.slice(0, 'YYYY-MM-DD'.length);
    const counts = state.days[day] || { total: 0 };
    counts.total += 1;
    counts[event.eventType] = (counts[event.eventType] || 0) + 1;
    state.days[day] = counts;
  },
});
