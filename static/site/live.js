// Server-sent events with a way back: reconnect with a growing pause, poll meanwhile, refetch once it is there again.
//
//   listenLive("/live/?channel=console", { changed(id), refetch(), state(name) })
//
// `name` is live, polling (no connection, but the pages are asked every two seconds) or lost (the server is away, too).
window.listenLive = function (address, { changed, refetch, state }) {
  const POLL = 2000, BEAT_MISSED = 45000, LONGEST_PAUSE = 15000;
  let source = null, pause = 1000, poll = null, beat = 0, wasLive = false;

  // ":8010/live/" is another port of the host that the page came from.
  const url = address.startsWith(":") ? `${location.protocol}//${location.hostname}${address}` : address;

  function connect() {
    if (!address) return startPolling();
    source = new EventSource(url, { withCredentials: true });
    source.addEventListener("ready", () => {
      pause = 1000; beat = Date.now(); stopPolling(); state("live");
      if (wasLive) refetch();
      wasLive = true;
    });
    source.addEventListener("beat", () => { beat = Date.now(); });
    source.addEventListener("missed", () => refetch());
    source.addEventListener("changed", event => { beat = Date.now(); changed(event.data); });
    source.onerror = again;
  }

  function again() {
    source.close();
    startPolling();
    setTimeout(connect, pause * (0.7 + Math.random() * 0.6));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  async function ask() {
    if (document.hidden) return;
    state(await refetch() ? "polling" : "lost");
  }

  function startPolling() { if (!poll) { poll = setInterval(ask, POLL); ask(); } }
  function stopPolling() { clearInterval(poll); poll = null; }

  setInterval(() => { if (!poll && source && Date.now() - beat > BEAT_MISSED) again(); }, 10000);
  window.addEventListener("pagehide", () => source && source.close());
  window.addEventListener("pageshow", event => { if (event.persisted) { connect(); refetch(); } });
  connect();
};
