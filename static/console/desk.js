// What is typed into a form of a desk stays on this machine until it has arrived: through a lost session, a server that
// is away, a closed tab. The server says with `?done=` which form's words have arrived.
"use strict";

{
  const here = new URL(location.href), done = here.searchParams.get("done");
  const key = name => `desk:${here.pathname} ${name}`;
  const path = address => new URL(address, here).pathname;
  const forms = [...document.querySelectorAll(".desk form")];
  const fields = form => [...form.querySelectorAll("textarea, input:not([type=hidden])")];
  const sendsTo = form => [form.getAttribute("action"), ...[...form.querySelectorAll("[formaction]")].map(button => button.getAttribute("formaction"))].filter(Boolean).map(path);

  if (done) {
    const arrived = forms.find(form => sendsTo(form).includes(done));
    // A form that is not shown any more, such as a resolved escalation's, has nothing left to keep.
    const gone = arrived ? fields(arrived).map(field => key(field.name)) : Object.keys(localStorage).filter(name => name.startsWith(key("")));
    for (const name of gone) localStorage.removeItem(name);
    here.searchParams.delete("done");
    history.replaceState(null, "", here);
  }
  for (const field of forms.flatMap(fields)) {
    const kept = localStorage.getItem(key(field.name));
    if (kept && !field.value) field.value = kept;
    field.addEventListener("input", () => field.value ? localStorage.setItem(key(field.name), field.value) : localStorage.removeItem(key(field.name)));
  }
  for (const button of document.querySelectorAll("[data-take]")) {
    button.addEventListener("click", () => {
      const field = button.form.querySelector("textarea");
      field.value = button.dataset.take;
      field.dispatchEvent(new Event("input"));
      field.focus();
    });
  }
}
