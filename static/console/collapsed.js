// Three panes want the room: here the theme's side bar starts closed, and stays as it was everywhere else.
{
  const key = "sidebarDesktopOpen";
  const usual = localStorage.getItem(key);
  localStorage.setItem(key, "0");
  document.addEventListener("alpine:initialized", () => {
    if (usual === null) localStorage.removeItem(key);
    else localStorage.setItem(key, usual);
  });
}
