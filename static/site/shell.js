// The theme opens its side bar and menus by clicks on plain boxes: here they get a name, a place in the tab order and keys.
document.addEventListener("alpine:initialized", () => {
  const names = { sidebarDesktopOpen: "Side bar", sidebarMobileOpen: "Side bar", openUserLinks: "Account and theme", opencommand: "Search" };
  for (const box of document.querySelectorAll("span[x-on\\:click], div[x-on\\:click], a[x-on\\:click]:not([href])")) {
    box.setAttribute("role", "button");
    box.tabIndex = 0;
    const name = Object.keys(names).find(key => box.getAttribute("x-on:click").includes(key));
    if (name && !box.getAttribute("aria-label")) box.setAttribute("aria-label", names[name]);
    box.addEventListener("keydown", event => {
      if (event.target === box && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); box.click(); }
    });
  }
});
