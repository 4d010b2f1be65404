import start from "./chat_web.js";

start({ module_or_path: "chat_web_bg.wasm" }).catch((error) => {
  console.error(error);
  const status = document.getElementById("status");
  status.dataset.mood = "bad";
  status.textContent = "The page could not start: its program did not load. Reload it, or see the browser's console.";
});
