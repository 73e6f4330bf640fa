BerthCtl.main()
