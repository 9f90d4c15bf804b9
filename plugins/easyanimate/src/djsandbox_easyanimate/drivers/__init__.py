"""Programs that run in the environment of EasyAnimate; each alone in its folder, so that nothing of ours hides its packages."""
