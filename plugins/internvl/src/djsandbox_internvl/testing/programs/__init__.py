"""The programs of the stand-in, which are copied into its checkout: nothing in them imports anything of ours."""
