"""The toolbox: functions that two services or more call. It owns no data and imports no service."""
