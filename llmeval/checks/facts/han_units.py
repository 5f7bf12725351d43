"""Units of measure in Chinese and Japanese, by their English names."""

HAN_UNITS = {
    name: unit
    for names, unit in (
        ("公斤 千克 キログラム", "kilogram"),
        ("克 グラム", "gram"),
        ("毫克 ミリグラム", "milligram"),
        ("吨 噸 トン", "tonne"),
        ("公里 千米 キロメートル", "kilometre"),
        ("米 公尺 メートル", "metre"),
        ("厘米 公分 センチメートル センチ", "centimetre"),
        ("毫米 ミリメートル ミリ", "millimetre"),
        ("英里 マイル", "mile"),
        ("英尺 フィート", "foot"),
        ("英寸 インチ", "inch"),
        ("光年", "light year"),
        ("个小时 個小時 小时 小時 時間", "hour"),
        ("分钟 分鐘 分間", "minute"),
        ("秒钟 秒鐘 秒間 秒", "second"),
        ("天 日間", "day"),
        ("个星期 個星期 星期 周 週間", "week"),
        ("个月 個月 か月 ヶ月 カ月", "month"),
        ("年間", "year"),
        ("升 公升 リットル", "litre"),
        ("毫升 ミリリットル", "millilitre"),
        ("平方米 平方公尺 平方メートル", "square metre"),
        ("平方公里 平方千米 平方キロメートル", "square kilometre"),
        ("公顷 公頃 ヘクタール", "hectare"),
        ("摄氏度 攝氏度", "celsius"),
        ("华氏度 華氏度", "fahrenheit"),
        ("日元 円", "yen"),
        ("元 人民币 人民幣", "yuan"),
        ("美元 ドル", "dollar"),
        ("欧元 歐元 ユーロ", "euro"),
        ("英镑 英鎊", "gbp"),
        ("韩元 韓元 ウォン", "korean won"),
        ("卢布 ルーブル", "rouble"),
        ("瓦 ワット", "watt"),
        ("千瓦 キロワット", "kilowatt"),
        ("伏 伏特 ボルト", "volt"),
        ("赫兹 ヘルツ", "hertz"),
        ("パーセント", "percent"),
    )
    for name in names.split()
}
"""Units in Chinese and Japanese, which need no space or mark after them. 年, 月, 日 and 分 by
themselves are parts of dates and times."""
