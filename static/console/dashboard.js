// Who may ask the upstreams sees how they answer right now; everybody else sees what the last calls found.
{
  const list = document.getElementById("upstreams");
  const names = JSON.parse(document.getElementById("upstream-names")?.textContent || "{}");
  const show = health => {
    list.replaceChildren(...Object.entries(health.details).map(([name, one]) => {
      const item = document.createElement("li");
      item.className = `state-${one.ok ? "closed" : "open"}`;
      item.innerHTML = '<span class="dot" aria-hidden="true"></span><span></span><span class="muted"></span>';
      item.children[1].textContent = (names[name] || name) + (one.simulated ? " (simulated)" : "");
      item.children[2].textContent = one.ok ? `answers in ${one.latency_ms} ms` : one.circuit === "open" ? "away, left in peace" : one.error || "does not answer";
      return item;
    }));
  };
  if (list?.dataset.ask) fetch(list.dataset.ask).then(answer => answer.json()).then(health => health.details && show(health)).catch(() => {});
  // The first page of the morning stays true through the day.
  setInterval(() => { if (!document.hidden && !document.activeElement?.matches("input")) location.reload(); }, 60000);
}
