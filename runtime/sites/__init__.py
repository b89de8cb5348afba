"""Sites: Switchgears elsewhere that come here by themselves, and this one as a site of another. docs/SITES.md."""
