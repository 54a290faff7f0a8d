// What begins when the page is there.

startTable();
startPlots();
document.documentElement.dataset.ready = "yes";
